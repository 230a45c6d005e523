"""Plans of power actions, and what is known of their servers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

_ADD = text("""/* power.add */
    insert into power_plans (org_id, server_instance_id, action, mode, due_at, give_up_at, warn_minutes, next_step_at, reason,
                             created_by_id, created_at)
    values (:org, :server, :action, :mode, cast(:due as timestamptz), cast(:give_up as timestamptz), :warn, :now, :reason,
            cast(:author as uuid), :now)
    on conflict (server_instance_id) where status in ('planned', 'running') do nothing returning id""")

_COLUMNS = """
    p.id, p.org_id, o.discord_guild_id as guild_id, p.server_instance_id as server_id, s.name as server_name,
    p.action, p.due_at, p.give_up_at, p.warn_minutes, p.status, p.job_id, p.reason, p.created_at,
    coalesce(u.display_name, u.username) as author"""
_FROM = """from power_plans p join orgs o on o.id = p.org_id join server_instances s on s.id = p.server_instance_id
      left join users u on u.id = p.created_by_id"""
_LIVE = "p.status in ('planned', 'running')"

_OF_SERVER = text(f"""/* power.of_server */
    select {_COLUMNS} {_FROM} where p.org_id = :org and p.server_instance_id = :server and {_LIVE}""")
_LOCK = text(f"/* power.lock */ select {_COLUMNS} {_FROM} where p.id = :id and {_LIVE} for update of p")
_LOCK_FREE = text(
    f"/* power.lock_free */ select {_COLUMNS} {_FROM} where p.id = :id and {_LIVE} for update of p skip locked"
)
_OF_JOB = text(f"/* power.of_job */ select {_COLUMNS} {_FROM} where p.job_id = :job and {_LIVE} for update of p")

_DUE = text("""/* power.due */
    select id, job_id from power_plans where status in ('planned', 'running') and next_step_at <= :now
     order by next_step_at limit :limit""")

# Whoever waits for another job comes after it: jobs that wait for each other are locked in the order in which they end.
_HOLD_CHAIN = text("""/* power.hold_chain */
    with recursive chain(id, after_job_id, place) as (
      select id, after_job_id, 0 from jobs where id = :job
      union all
      select j.id, j.after_job_id, c.place + 1 from jobs j join chain c on j.id = c.after_job_id where c.place < 50)
    select j.id, j.status from chain c join jobs j on j.id = c.id
     where j.status in ('held', 'queued', 'running') order by c.place desc for update of j""")
# Announcements have no messages and no followers but each other, so nobody else has to hear of their end.
_SILENCE = text("""/* power.silence */
    update jobs set status = 'cancelled', finished_at = :now
     where id = any(:jobs) and type = 'ANNOUNCE' and status in ('held', 'queued')""")

_SET_JOB = text("""/* power.set_job */
    update power_plans set job_id = :job, next_step_at = :look where id = :id""")
_MOVE = text("""/* power.move */
    update power_plans set due_at = cast(:due as timestamptz), give_up_at = cast(:give_up as timestamptz), job_id = null,
           next_step_at = :now where id = :id""")
_BEGIN = text("/* power.begin */ update power_plans set status = 'running', next_step_at = :look where id = :id")
_LOOK = text("/* power.look */ update power_plans set next_step_at = :look where id = :id")
_END = text("""/* power.end */
    update power_plans set status = :status, outcome = cast(:outcome as text), ended_at = :now,
           ended_by_id = cast(:by as uuid), next_step_at = null
     where id = :id""")

# Of its own job: one that its host may begin is due, whether or not it has asked for it.
_SEEN = text("""/* power.seen */
    select s.deleted_at is not null as removed, o.status = 'left' as left_alone, s.status, s.players_online as players,
           h.status = 'online' and s.last_seen_at >= cast(:now as timestamptz)
             - make_interval(secs => greatest(3 * o.health_interval_sec, 45)) as fresh,
           case when p.job_id is null then 'none' when j.status = 'held' then 'waiting'
                when j.status = 'queued' then case when j.not_before <= :now then 'due' else 'waiting' end
                when j.status = 'running' then 'running' else 'ended' end as job,
           (select b.number from jobs b
             where b.server_instance_id = s.id and b.is_exclusive and b.status in ('held', 'queued', 'running')
               and b.id is distinct from p.job_id order by b.status = 'running' desc, b.number limit 1) as busy_number,
           (select jsonb_build_array(b.number, b.type) from jobs b
             where b.server_instance_id = s.id and b.type in ('SERVER_STOP', 'SERVER_RESTART', 'SERVER_START', 'SERVER_KILL')
               and b.status = 'success' and b.finished_at > p.created_at and b.id is distinct from p.job_id
             order by b.finished_at desc limit 1) as overtaken_by
      from power_plans p join orgs o on o.id = p.org_id join server_instances s on s.id = p.server_instance_id
      join hosts h on h.id = s.host_id left join jobs j on j.id = p.job_id
     where p.id = :id""")

_CARD = text("""/* power.card */
    select p.id, p.org_id, p.server_instance_id as server_id, s.name as server_name, p.action, p.due_at, p.give_up_at,
           p.warn_minutes, p.status, p.reason, p.created_at, p.outcome, p.ended_at,
           coalesce(u.display_name, u.username) as author, coalesce(e.display_name, e.username) as ended_by,
           j.number, j.status as job_status,
           coalesce((select r from jsonb_array_elements(h.games) r where r ->> 'id' = g.slug limit 1) -> 'capabilities',
                    g.capabilities) ? 'say' as says,
           (select x.duration_ms from job_runs x where x.job_id = j.id order by x.attempt desc limit 1) as duration_ms
      from power_plans p join server_instances s on s.id = p.server_instance_id join hosts h on h.id = s.host_id
      join game_types g on g.id = s.game_type_id left join jobs j on j.id = p.job_id
      left join users u on u.id = p.created_by_id left join users e on e.id = p.ended_by_id
     where p.org_id = :org and p.id = :id""")

_MANNERS = text("/* power.manners */ select timezone, avoid_risky_restart from orgs where id = :org")


@dataclass(frozen=True)
class PlanRow:
    """A live plan and its server."""

    id: UUID
    org_id: UUID
    guild_id: int
    server_id: UUID
    server_name: str
    action: Literal["stop", "restart"]
    due_at: datetime | None
    give_up_at: datetime | None
    warn_minutes: list[int]
    status: Literal["planned", "running"]
    job_id: UUID | None
    reason: str | None
    created_at: datetime
    author: str | None


@dataclass(frozen=True)
class SeenRow:
    """What decides about a plan."""

    removed: bool
    left_alone: bool
    status: str
    players: int | None
    fresh: bool | None
    """None: its host was never heard of."""
    job: Literal["none", "waiting", "due", "running", "ended"]
    busy_number: int | None
    overtaken_by: list[Any] | None
    """Number and type of the job."""


@dataclass(frozen=True)
class PlanCard:
    """What a plan's message shows."""

    id: UUID
    org_id: UUID
    server_id: UUID
    server_name: str
    action: Literal["stop", "restart"]
    due_at: datetime | None
    give_up_at: datetime | None
    warn_minutes: list[int]
    status: Literal["planned", "running", "done", "cancelled", "expired"]
    reason: str | None
    created_at: datetime
    outcome: str | None
    ended_at: datetime | None
    author: str | None
    ended_by: str | None
    number: int | None
    job_status: str | None
    says: bool
    duration_ms: int | None


async def add(
    session: AsyncSession,
    *,
    org_id: UUID,
    server_id: UUID,
    action: str,
    due: datetime | None,
    give_up: datetime | None,
    warn: Sequence[int],
    reason: str,
    author: UUID | None,
    now: datetime,
) -> UUID | None:
    """Writes a plan; None: the server has a live one."""
    values = {"org": org_id, "server": server_id, "action": action, "mode": "at" if due else "when_empty", "due": due}
    more = {"give_up": give_up, "warn": list(warn), "reason": reason or None, "author": author, "now": now}
    return await session.scalar(_ADD, {**values, **more})


async def of_server(session: AsyncSession, org_id: UUID, server_id: UUID) -> PlanRow | None:
    """The live plan of a server, as it is while nobody holds it."""
    return one(PlanRow, await session.execute(_OF_SERVER, {"org": org_id, "server": server_id}))


async def lock(session: AsyncSession, plan_id: UUID) -> PlanRow | None:
    """A plan held by this transaction; None: it has ended. Jobs of a plan are locked before it."""
    return one(PlanRow, await session.execute(_LOCK, {"id": plan_id}))


async def lock_free(session: AsyncSession, plan_id: UUID) -> PlanRow | None:
    """The same; None also where somebody else holds it."""
    return one(PlanRow, await session.execute(_LOCK_FREE, {"id": plan_id}))


async def of_job(session: AsyncSession, job_id: UUID) -> PlanRow | None:
    """The live plan whose power action a locked job is."""
    return one(PlanRow, await session.execute(_OF_JOB, {"job": job_id}))


async def due(session: AsyncSession, now: datetime, limit: int) -> list[tuple[UUID, UUID | None]]:
    """The plans that have to be looked at, and their jobs."""
    return [(row.id, row.job_id) for row in await session.execute(_DUE, {"now": now, "limit": limit})]


async def hold_chain(session: AsyncSession, job_id: UUID | None) -> dict[UUID, str]:
    """The live jobs that end with this one and their status, held by this transaction, in the order in which they end."""
    rows = await session.execute(_HOLD_CHAIN, {"job": job_id}) if job_id else ()
    return {row.id: row.status for row in rows}


async def silence(session: AsyncSession, job_ids: Collection[UUID], now: datetime) -> None:
    """Cancels those of the held jobs that are announcements and not begun."""
    await session.execute(_SILENCE, {"jobs": list(job_ids), "now": now})


async def set_job(session: AsyncSession, plan_id: UUID, job_id: UUID, look: datetime) -> None:
    """Its countdown was written down; this job ends it."""
    await session.execute(_SET_JOB, {"id": plan_id, "job": job_id, "look": look})


async def move(
    session: AsyncSession, plan_id: UUID, *, due: datetime | None, give_up: datetime | None, now: datetime
) -> None:
    """Gives it another time; its jobs are no longer its own."""
    await session.execute(_MOVE, {"id": plan_id, "due": due, "give_up": give_up, "now": now})


async def begin(session: AsyncSession, plan_id: UUID, look: datetime) -> None:
    await session.execute(_BEGIN, {"id": plan_id, "look": look})


async def look_again(session: AsyncSession, plan_id: UUID, look: datetime) -> None:
    await session.execute(_LOOK, {"id": plan_id, "look": look})


async def end(
    session: AsyncSession, plan_id: UUID, status: str, *, outcome: str, by: UUID | None, now: datetime
) -> None:
    """`outcome`: why it ended so."""
    await session.execute(_END, {"id": plan_id, "status": status, "outcome": outcome or None, "by": by, "now": now})


async def seen(session: AsyncSession, plan_id: UUID, now: datetime) -> SeenRow | None:
    return one(SeenRow, await session.execute(_SEEN, {"id": plan_id, "now": now}))


async def card(session: AsyncSession, org_id: UUID, plan_id: UUID) -> PlanCard | None:
    return one(PlanCard, await session.execute(_CARD, {"org": org_id, "id": plan_id}))


async def manners(session: AsyncSession, org_id: UUID) -> dict[str, Any]:
    """What an org has said about the time of power actions: `timezone`, `avoid_risky_restart`."""
    return dict((await session.execute(_MANNERS, {"org": org_id})).mappings().one())
