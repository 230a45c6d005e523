"""Pages of the audit log. Paged by id: flat to any depth."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every, one


@dataclass(frozen=True)
class AuditEntry:
    """One audit row as it is shown."""

    id: int
    at: datetime
    action: str
    outcome: str
    actor_type: str
    actor: str | None
    actor_discord_id: int | None
    resource_type: str
    resource_id: str | None
    resource_name: str | None
    command: str | None
    options: dict[str, Any]
    details: dict[str, Any]
    error: str | None
    correlation_id: str | None
    channel_id: int | None
    duration_ms: int | None


@dataclass(frozen=True)
class Filter:
    """What `/audit search` narrows to; None means any."""

    by: int | None = None
    """A Discord user id."""
    action: str | None = None
    """An action or its beginning, such as `server.`"""
    target: UUID | None = None
    since: datetime | None = None
    outcome: str | None = None


_COLUMNS = """
    select a.id, a.created_at as at, a.action, a.outcome, a.actor_type, coalesce(u.display_name, u.username) as actor,
           a.actor_discord_id, a.resource_type, a.resource_id, coalesce(s.name, h.name, p.name,
           case when a.resource_type in ('schedule', 'alert_rule') then a.details ->> 'name'
                when a.resource_type = 'incident' then 'I-' || (a.details ->> 'number')
                when a.resource_type = 'ban' then 'B-' || (a.details ->> 'number') end) as resource_name, a.command,
           a.options, a.details, a.error, a.correlation_id, a.channel_id, a.duration_ms
      from audit_logs a
      left join users u on u.id = a.actor_id
      left join server_instances s on a.resource_type = 'server' and s.org_id = a.org_id and s.id::text = a.resource_id
      left join hosts h on a.resource_type = 'host' and h.org_id = a.org_id and h.id::text = a.resource_id
      left join players p on a.resource_type = 'player' and p.org_id = a.org_id and p.id::text = a.resource_id
     where a.org_id = :org"""

_SEARCH = text(f"""/* audit.search */ {_COLUMNS}
       and (cast(:before as bigint) is null or a.id < :before)
       and (cast(:by as bigint) is null or a.actor_discord_id = :by)
       and (cast(:action as text) is null or a.action like :action || '%')
       and (cast(:target as text) is null or a.resource_id = :target)
       and (cast(:since as timestamptz) is null or a.created_at >= :since)
       and (cast(:outcome as text) is null or a.outcome = :outcome)
     order by a.id desc limit :limit""")

_ONE = text(f"/* audit.entry */ {_COLUMNS} and a.id = :id")


async def search(
    session: AsyncSession, org_id: UUID, wanted: Filter, *, before: int | None, limit: int
) -> list[AuditEntry]:
    """Entries older than `before`, newest first."""
    values = {
        "org": org_id,
        "before": before,
        "by": wanted.by,
        "action": wanted.action.replace("%", "").replace("\\", "") if wanted.action else None,
        "target": str(wanted.target) if wanted.target else None,
        "since": wanted.since,
        "outcome": wanted.outcome,
        "limit": limit,
    }
    return every(AuditEntry, await session.execute(_SEARCH, values))


async def entry(session: AsyncSession, org_id: UUID, entry_id: int) -> AuditEntry | None:
    return one(AuditEntry, await session.execute(_ONE, {"org": org_id, "id": entry_id}))
