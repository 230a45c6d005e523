"""Servers that are left alone: holds and maintenance windows."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.rest import Rest
from db.rows import every

HELD: Final = "(x.expires_at is null or x.expires_at > cast(:now as timestamptz))"
"""Of a hold `x`: it still counts, whether or not anybody has swept it up."""

UNDER_WAY: Final = """w.ended_at is null and w.starts_at <= cast(:now as timestamptz)
    and w.ends_at > cast(:now as timestamptz)"""
"""Of a window `w`: it counts by its clock, whether or not anybody has told of it."""

COVERS: Final = """(w.server_instance_id = s.id or w.host_id = s.host_id
    or w.server_instance_id is null and w.host_id is null
       and (w.tag is null or exists (
         select 1 from server_tags t where t.org_id = s.org_id and t.server_instance_id = s.id and t.tag = w.tag)))"""
"""Of a window `w` of the same org: the server `s` is in it."""

# Of several windows the one that ends last, which is when the server is free again.
_LEFT_ALONE = text(f"""/* maintenance.left_alone */
    select s.id, coalesce(r.kind, m.kind) as kind, coalesce(r.reason, m.reason) as reason,
           case when r.kind is null then m.by else r.by end as "by", coalesce(r.since, m.since) as since,
           case when r.kind is null then m.until else r.until end as until
      from server_instances s
      left join lateral (
        select 'hold' as kind, x.reason, coalesce(u.display_name, u.username) as "by", x.created_at as since,
               x.expires_at as until
          from server_holds x left join users u on u.id = x.created_by_id
         where x.org_id = s.org_id and x.server_instance_id = s.id and {HELD}) r on true
      left join lateral (
        select 'maintenance' as kind, w.reason, coalesce(u.display_name, u.username) as "by", w.starts_at as since,
               w.ends_at as until
          from maintenance_windows w left join users u on u.id = w.created_by_id
         where w.org_id = s.org_id and {UNDER_WAY} and {COVERS}
         order by w.ends_at desc, w.id limit 1) m on true
     where s.org_id = :org and s.id = any(:servers) and coalesce(r.kind, m.kind) is not null""")


async def left_alone(
    session: AsyncSession, org_id: UUID, server_ids: Collection[UUID], now: datetime
) -> dict[UUID, Rest]:
    """Those of the servers that are left alone now, and why; a hold goes before a maintenance window."""
    if not server_ids:
        return {}
    values = {"org": org_id, "servers": list(server_ids), "now": now}
    rows = every(dict[str, Any], await session.execute(_LEFT_ALONE, values))
    return {row.pop("id"): Rest(**row) for row in rows}
