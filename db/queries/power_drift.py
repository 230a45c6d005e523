"""Servers that are not as people want them, and that their hosts do not mend by themselves."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

# Of a crashed server its host knows when it is started again; of one that it calls stopped it will do nothing.
_STOPPED = """
    s.deleted_at is null and s.desired_state = 'running' and s.restart_policy = 'always' and s.status = 'stopped'
     and s.status_changed_at <= :since and h.status = 'online' and o.status = 'active'
     and s.last_seen_at >= cast(:now as timestamptz) - make_interval(secs => greatest(3 * o.health_interval_sec, 45))
     and not exists (select 1 from power_plans p where p.server_instance_id = s.id and p.status in ('planned', 'running'))
     and not exists (select 1 from jobs j where j.server_instance_id = s.id and j.status in ('held', 'queued', 'running')
                        and (j.is_exclusive or j.type = 'SERVER_KILL'))"""
_FROM = "from server_instances s join hosts h on h.id = s.host_id join orgs o on o.id = s.org_id"

_DRIFTED = text(
    f"/* power_drift.ids */ select s.id {_FROM} where s.id > :after and {_STOPPED} order by s.id limit :limit"
)

# Jobs for it can be written meanwhile: whoever does that has taken their number, for which this transaction waits then.
_HOLD = text(f"""/* power_drift.hold */
    select s.id, s.org_id, o.discord_guild_id as guild_id, s.host_id, last.tries, last.tried_at
      {_FROM} cross join lateral (
        select count(*) as tries, max(coalesce(j.finished_at, j.created_at)) as tried_at from jobs j
         where j.server_instance_id = s.id and j.source = 'reconcile' and j.created_at > :recent) last
     where s.id = :id and {_STOPPED} for no key update of s skip locked""")


@dataclass(frozen=True)
class Drifted:
    """A server that should run and is stopped; this transaction holds its row."""

    id: UUID
    org_id: UUID
    guild_id: int
    host_id: UUID
    tries: int
    """How often it was started because of that, of late."""
    tried_at: datetime | None


async def ids(session: AsyncSession, since: datetime, now: datetime, after: UUID, limit: int) -> list[UUID]:
    """Servers that should run and are stopped since then, with nobody at work on them; the next ones by id."""
    values = {"since": since, "now": now, "after": after, "limit": limit}
    return list((await session.execute(_DRIFTED, values)).scalars())


async def hold(
    session: AsyncSession, server_id: UUID, *, since: datetime, recent: datetime, now: datetime
) -> Drifted | None:
    """One of them, once more; None: somebody is at it by now."""
    values = {"id": server_id, "since": since, "recent": recent, "now": now}
    return one(Drifted, await session.execute(_HOLD, values))
