"""Schedules whose time has come, and what became of their runs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.schedules import STEPS
from db.rows import every, one

_DUE = text("""/* schedules_due.due */
    select id, org_id, tag is null as alone from schedules
     where enabled and next_run_at <= :now order by next_run_at limit :limit""")

_COLUMNS = f"""
    select c.id, c.org_id, o.discord_guild_id as guild_id, c.name, c.server_instance_id as server_id, c.tag,
           c.cron_expression as expression, c.timezone as zone, c.paused_until, c.skip_next, c.catch_up, c.next_run_at,
           c.last_run_status, o.status = 'left' as left_alone, {STEPS} as steps, c.lead_sec, c.overlap,
           c.only_when_online, c.only_when_empty, c.execution_window_start as window_start,
           c.execution_window_end as window_end, c.max_retries, c.backoff_sec,
           array(select x.server_instance_id from schedule_exclusions x where x.schedule_id = c.id) as left_out
      from schedules c join orgs o on o.id = c.org_id"""
# Whoever is not first leaves it alone: by the time the row is free again its next run lies in the future.
_CLAIM = text(f"""/* schedules_due.claim */ {_COLUMNS}
     where c.id = any(cast(:ids as uuid[])) and c.enabled and c.next_run_at <= :now
     order by c.next_run_at, c.id for update of c skip locked""")
_HOLD = text(f"/* schedules_due.hold */ {_COLUMNS} where c.org_id = :org and c.id = :id for update of c")

_LIVE = text("""/* schedules_due.live */
    select id, server_instance_id as server_id, schedule_id, number, status, is_exclusive, dedupe_key from jobs
     where org_id = :org and server_instance_id = any(cast(:servers as uuid[])) and status in ('held', 'queued', 'running')
     order by number""")
# Whoever ends a job locks it and then its schedule, which is locked here by now: so nobody waits for it.
_STILL_LIVE = text("""/* schedules_due.still_live */
    select 1 from jobs where org_id = :org and id = :id and status in ('held', 'queued', 'running')
       for update skip locked""")

_MOVE_ON = text("""/* schedules_due.move_on */
    update schedules c set next_run_at = r.next_run_at, enabled = r.next_run_at is not null,
           paused_until = case when c.paused_until > :now then c.paused_until end, skip_next = c.skip_next - r.skips,
           last_run_status = r.status, last_run_reason = r.reason, last_run_at = :now, last_run_job_id = coalesce(r.job, c.last_run_job_id),
           last_run_for = coalesce(r.run_for, c.last_run_for), run_count = c.run_count + cast(r.ran as int), updated_at = :now
      from jsonb_to_recordset(:runs) as r(id uuid, next_run_at timestamptz, skips int, status text, reason text, job uuid, run_for timestamptz,
                                           ran boolean)
     where c.id = r.id""").bindparams(bindparam("runs", type_=JSONB))
_RAN = text("""/* schedules_due.ran */
    update schedules set last_run_status = 'enqueued', last_run_reason = null, last_run_at = :now, last_run_job_id = :job, run_count = run_count + 1,
           updated_at = :now
     where id = :id""")

# Two statements: the second must see what was committed while the first one waited for the row.
_LOCK = text("/* schedules_due.lock */ select 1 from schedules where id = :id for update")
# The jobs of one run were created at one moment. A run is a success when the last steps of its chains are; it failed when
# a job did after which its chain does not go on, and counts as one failure however many do. Jobs that somebody cancelled
# do not count, but where nothing came to its end the run was left out. What an older run brings does not hide how the
# newest stands.
_ENDED = text("""/* schedules_due.ended */
    with run as (
      select j.id, j.created_at, j.status in ('held', 'queued', 'running') as live, j.status = 'success' as success,
             j.status in ('failed', 'expired') and not exists (
               select 1 from jobs f where f.after_job_id = j.id and f.created_at = j.created_at and f.after_any) as broken,
             not exists (select 1 from jobs f where f.after_job_id = j.id and f.created_at = j.created_at) as final
        from jobs j
       where j.schedule_id = :id and j.created_at = (select created_at from jobs where id = :job)),
    facts as (
      select bool_or(live) as live, bool_or(broken) as broken, bool_or(success and final) as well,
             coalesce(bool_or(broken) filter (where id = :job), false) as breaks,
             coalesce(bool_or(broken) filter (where id <> :job), false) as broken_before,
             not exists (select 1 from jobs j where j.schedule_id = :id and j.created_at > min(run.created_at)) as newest
        from run)
    update schedules c
       set last_run_status = case
             when not facts.newest then c.last_run_status
             when facts.breaks then 'failed'
             when c.last_run_status <> 'enqueued' then c.last_run_status
             when facts.well then 'success' else 'skipped' end,
           last_run_reason = case
             when not facts.newest or c.last_run_status <> 'enqueued' and not facts.breaks then c.last_run_reason
             when facts.breaks or facts.well then null else coalesce(nullif(cast(:reason as text), ''), 'nothing of it came to its end') end,
           last_run_job_id = case when facts.newest and facts.breaks then :job else c.last_run_job_id end,
           failure_count = c.failure_count + cast(facts.breaks and not facts.broken_before as int),
           consecutive_failures = case
             when facts.breaks then c.consecutive_failures + cast(not facts.broken_before as int)
             when facts.well then 0 else c.consecutive_failures end,
           updated_at = :now
      from facts
     where c.id = :id and (facts.breaks or not facts.live and not facts.broken)""")

# The first step of a run has had to wait, for a run before it or for its host: the others keep their distance. It need not
# be the first one of the schedule: an announcement that could not be made is left out, and its time is nobody's delay.
_SHIFT = text("""/* schedules_due.shift */
    update jobs f set not_before = f.not_before + first.late, expires_at = f.expires_at + first.late
      from (select j.schedule_id, j.server_instance_id, j.created_at,
                   j.not_before - j.created_at - make_interval(secs => coalesce((
                     select min(t.time_offset_sec) from schedule_tasks t
                      where t.schedule_id = j.schedule_id and t.job_type = j.type), 0)) as late
              from jobs j
             where j.id = :job
               and not exists (select 1 from jobs b where b.id = j.after_job_id and b.created_at = j.created_at)) as first
     where first.late > interval '30 seconds' and f.schedule_id = first.schedule_id and f.server_instance_id = first.server_instance_id
       and f.created_at = first.created_at and f.status = 'held'""")


@dataclass(frozen=True)
class Found:
    """A schedule that is due."""

    id: UUID
    org_id: UUID
    alone: bool
    """It is for one server, not for a tag."""


@dataclass(frozen=True)
class DueSchedule:
    """A schedule whose row this transaction holds."""

    id: UUID
    org_id: UUID
    guild_id: int
    name: str
    server_id: UUID | None
    tag: str | None
    expression: str
    zone: str
    paused_until: datetime | None
    skip_next: int
    catch_up: bool
    next_run_at: datetime | None
    """None only where it was not due."""
    last_run_status: str | None
    left_alone: bool
    """The guild has removed the bot."""
    steps: list[dict[str, Any]]
    lead_sec: int
    overlap: str
    only_when_online: bool
    only_when_empty: bool
    window_start: time | None
    window_end: time | None
    max_retries: int
    backoff_sec: int
    left_out: list[UUID]
    """Servers that it leaves out, whatever tags they have."""


@dataclass(frozen=True)
class LiveJob:
    """A job that waits or is under way on a server."""

    id: UUID
    server_id: UUID
    schedule_id: UUID | None
    number: int | None
    """None: it is being written by this transaction."""
    status: str
    is_exclusive: bool
    dedupe_key: str | None


@dataclass(frozen=True)
class Moved:
    """What became of a run, and when the next one is; None: never, so the schedule is switched off."""

    id: UUID
    status: str
    reason: str | None
    """Why it was left out; None: it was not."""
    next_run_at: datetime | None
    job: UUID | None
    run_for: datetime | None
    """Its time; None where none was left that was not too late."""
    skips: int

    def row(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "status": self.status,
            "reason": self.reason,
            "next_run_at": self.next_run_at.isoformat() if self.next_run_at else None,
            "job": str(self.job) if self.job else None,
            "run_for": self.run_for.isoformat() if self.run_for else None,
            "skips": self.skips,
            "ran": self.status == "enqueued",
        }


async def due(session: AsyncSession, now: datetime, limit: int) -> list[Found]:
    """Schedules that are due, the longest due first."""
    return every(Found, await session.execute(_DUE, {"now": now, "limit": limit}))


async def claim(session: AsyncSession, schedules: Collection[UUID], now: datetime) -> list[DueSchedule]:
    """Holds those of the schedules that are due and that no other process has or had."""
    return every(DueSchedule, await session.execute(_CLAIM, {"ids": list(schedules), "now": now}))


async def hold(session: AsyncSession, org_id: UUID, schedule_id: UUID) -> DueSchedule | None:
    """Holds a schedule, due or not; None where it was removed."""
    return one(DueSchedule, await session.execute(_HOLD, {"org": org_id, "id": schedule_id}))


async def live(session: AsyncSession, org_id: UUID, servers: Collection[UUID]) -> list[LiveJob]:
    """What waits or is under way on these servers, oldest first."""
    return every(LiveJob, await session.execute(_LIVE, {"org": org_id, "servers": list(servers)}))


async def still_live(session: AsyncSession, org_id: UUID, job_id: UUID) -> bool:
    """Holds a job that has not ended; False where it has, or is about to."""
    return await session.scalar(_STILL_LIVE, {"org": org_id, "id": job_id}) is not None


async def move_on(session: AsyncSession, runs: Sequence[Moved], now: datetime) -> None:
    """Writes down what became of runs, and when the next ones are."""
    await session.execute(_MOVE_ON, {"runs": [run.row() for run in runs], "now": now})


async def ran(session: AsyncSession, schedule_id: UUID, job_id: UUID, now: datetime) -> None:
    """Writes a run down that somebody wanted; the next one stays when it is."""
    await session.execute(_RAN, {"id": schedule_id, "job": job_id, "now": now})


async def ended(session: AsyncSession, schedule_id: UUID, job_id: UUID, reason: str, now: datetime) -> None:
    """Takes the end of one of a schedule's jobs into account, which is written by now. `reason`: why it was not done."""
    await session.execute(_LOCK, {"id": schedule_id})
    await session.execute(_SHIFT, {"job": job_id})
    await session.execute(_ENDED, {"id": schedule_id, "job": job_id, "reason": reason, "now": now})
