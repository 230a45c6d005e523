"""What was kept of the last days that tells how often a rule would have fired."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

MOST: Final = 20_000
"""Rows that are looked at: an answer is waited for."""

_SERVERS = """s.org_id = :org and s.deleted_at is null and (cast(:server as uuid) is null or s.id = cast(:server as uuid))
       and (cast(:host as uuid) is null or s.host_id = cast(:host as uuid))"""

_SILENCES = text("""/* alerts_past.silences */
    select count(*) from events e join hosts h on cast(h.id as text) = e.source_id and h.org_id = e.org_id and h.deleted_at is null
     where e.org_id = :org and e.ts > :since and e.source_type = 'host' and e.event_type = 'host.online'
       and (cast(:host as uuid) is null or h.id = cast(:host as uuid))
       and e.ts - cast(e.payload ->> 'offlineSince' as timestamptz) >= make_interval(secs => :seconds)""")

_NOTICED = text("/* alerts_past.offline_after */ select host_offline_after_sec from orgs where id = :org")

_CRASHES = text(f"""/* alerts_past.crashes */
    select e.source_id as entity, e.ts as at from events e join server_instances s on cast(s.id as text) = e.source_id
     where {_SERVERS} and e.org_id = :org and e.ts > :since and e.source_type = 'server_instance'
       and e.event_type = 'server.crashed' order by e.ts limit {MOST}""")

_RUNS = text(f"""/* alerts_past.runs */
    select cast(s.id as text) as entity, x.status in ('failed', 'lost') as wrong
      from jobs j join job_runs x on x.job_id = j.id join server_instances s on s.id = j.server_instance_id
     where {_SERVERS} and j.org_id = :org and j.created_at > :since and x.status in ('success', 'failed', 'lost')
       and (cardinality(cast(:types as text[])) = 0 or j.type = any(cast(:types as text[])))
     order by x.finished_at limit {MOST}""")

_LINES = text(f"""/* alerts_past.lines */
    select cast(l.server_instance_id as text) as entity, l.ts as at, left(l.message, 2000) as message from logs l
     where l.org_id = :org and l.ts > :since and l.server_instance_id in (select s.id from server_instances s where {_SERVERS})
     order by l.ts desc, l.id desc limit {MOST}""")


@dataclass(frozen=True)
class Moment:
    """Something that happened to a server."""

    entity: str
    at: datetime


@dataclass(frozen=True)
class Run:
    """A run that ended, and how."""

    entity: str
    wrong: bool


@dataclass(frozen=True)
class Line:
    """A line of a log."""

    entity: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Scope:
    """Whose past, and since when."""

    org_id: UUID
    host_id: UUID | None
    server_id: UUID | None
    since: datetime

    @property
    def values(self) -> dict[str, Any]:
        return {"org": self.org_id, "host": self.host_id, "server": self.server_id, "since": self.since}


async def silences(session: AsyncSession, scope: Scope, seconds: int) -> tuple[int, int]:
    """How often hosts were silent for so long, and from how many seconds on that was noticed at all."""
    values = {"org": scope.org_id, "host": scope.host_id, "since": scope.since, "seconds": seconds}
    noticed = await session.scalar(_NOTICED, {"org": scope.org_id})
    return await session.scalar(_SILENCES, values), noticed


async def crashes(session: AsyncSession, scope: Scope) -> list[Moment]:
    return every(Moment, await session.execute(_CRASHES, scope.values))


async def runs(session: AsyncSession, scope: Scope, types: list[str]) -> list[Run]:
    """Oldest first; no types: all."""
    return every(Run, await session.execute(_RUNS, {**scope.values, "types": types}))


async def lines(session: AsyncSession, scope: Scope) -> list[Line]:
    """The newest lines, newest first."""
    return every(Line, await session.execute(_LINES, scope.values))
