"""Why servers are left alone now: by holds and maintenance windows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
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

# A hold goes first; of several windows the one that ends last, which is when the server is free again.
REST: Final = f"""left join lateral (
        select 1 as place, 'hold' as kind, x.reason, x.created_by_id, x.created_at as since, x.expires_at as until
          from server_holds x
         where x.org_id = s.org_id and x.server_instance_id = s.id and {HELD}
        union all
        select 2, 'maintenance', w.reason, w.created_by_id, w.starts_at, w.ends_at
          from maintenance_windows w where w.org_id = s.org_id and {UNDER_WAY} and {COVERS}
         order by place, until desc nulls first limit 1) rest on true
      left join users resting on resting.id = rest.created_by_id"""
"""Of a server `s`: why it is left alone at `:now`, in the columns `RESTING`."""
RESTING: Final = """rest.kind as rest_kind, rest.reason as rest_reason,
           coalesce(resting.display_name, resting.username) as rest_by, rest.since as rest_since, rest.until as rest_until"""

PLANNED: Final = f"""(select min(w.starts_at) from maintenance_windows w
             where w.org_id = s.org_id and w.ended_at is null and w.starts_at > cast(:now as timestamptz)
               and w.starts_at < cast(:now as timestamptz) + interval '1 day' and {COVERS})"""
"""Of a server `s`: when its next maintenance begins, if that is within a day."""

_LEFT_ALONE = text(f"""/* rest.left_alone */
    select s.id, {RESTING} from server_instances s {REST}
     where s.org_id = :org and s.id = any(:servers) and rest.kind is not null""")


@dataclass(frozen=True, kw_only=True)
class Resting:
    """The columns `RESTING` of a row."""

    rest_kind: Literal["hold", "maintenance"] | None = None
    rest_reason: str | None = None
    rest_by: str | None = None
    rest_since: datetime | None = None
    rest_until: datetime | None = None

    @property
    def rest(self) -> Rest | None:
        """Why the server is left alone; None: it is not."""
        if self.rest_kind is None or self.rest_since is None:
            return None
        return Rest(self.rest_kind, self.rest_reason or "", self.rest_by, self.rest_since, self.rest_until)


@dataclass(frozen=True)
class _LeftAlone(Resting):
    id: UUID


async def left_alone(
    session: AsyncSession, org_id: UUID, server_ids: Collection[UUID], now: datetime
) -> dict[UUID, Rest]:
    """Those of the servers that are left alone now, and why; a hold goes before a maintenance window."""
    if not server_ids:
        return {}
    values = {"org": org_id, "servers": list(server_ids), "now": now}
    rows = every(_LeftAlone, await session.execute(_LEFT_ALONE, values))
    return {row.id: row.rest for row in rows if row.rest}
