"""Schedules whose time has come, and what became of their runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

_DUE = text("""/* schedules_due.ids */
    select id from schedules where enabled and next_run_at <= :now order by next_run_at limit :limit""")

# Whoever is not first leaves it alone: by the time the row is free again its next run lies in the future.
_CLAIM = text("""/* schedules_due.claim */
    select c.id, c.org_id, o.discord_guild_id as guild_id, c.name, c.server_instance_id as server_id, c.tag,
           c.cron_expression as expression, c.timezone as zone, c.paused_until, c.skip_next, c.catch_up, c.next_run_at,
           c.last_run_status, o.status = 'left' as left_alone, t.job_type, t.payload as params,
           array(select x.server_instance_id from schedule_exclusions x where x.schedule_id = c.id) as left_out
      from schedules c join orgs o on o.id = c.org_id
      left join schedule_tasks t on t.schedule_id = c.id and t.sequence = 1
     where c.id = :id and c.enabled and c.next_run_at <= :now for update of c skip locked""")

_BUSY = text("""/* schedules_due.busy */
    select server_instance_id as server_id, min(number) as number from jobs
     where org_id = :org and server_instance_id = any(cast(:servers as uuid[])) and status in ('held', 'queued', 'running')
       and (schedule_id = :schedule or is_exclusive and (:exclusive or status = 'running'))
     group by server_instance_id""")

_MOVE_ON = text("""/* schedules_due.move_on */
    update schedules set next_run_at = cast(:next_run_at as timestamptz),
           enabled = cast(:next_run_at as timestamptz) is not null,
           paused_until = case when paused_until > :now then paused_until end,
           skip_next = skip_next - :skips, last_run_status = :status,
           last_run_at = :now,
           last_run_job_id = coalesce(cast(:job as uuid), last_run_job_id), run_count = run_count + cast(:ran as int),
           updated_at = :now
     where id = :id""")

# Two statements: the second must see what was committed while the first one waited for the row.
_LOCK = text("/* schedules_due.lock */ select 1 from schedules where id = :id for update")
# A run on several servers is a success when all its jobs are, and counts as one failure however many fail.
# Jobs that somebody cancelled do not count, but where all of them were cancelled the run was left out.
_SETTLED = text("""/* schedules_due.settled */
    update schedules c
       set last_run_status = case when c.last_run_status <> 'enqueued' then c.last_run_status
                                  when done.well then 'success' else 'skipped' end,
           consecutive_failures = case when done.well then 0 else c.consecutive_failures end, updated_at = :now
      from (select cast(:success as boolean) or exists (
              select 1 from jobs j join schedules s on s.id = j.schedule_id
               where s.id = :id and j.status = 'success' and j.created_at >= s.last_run_at)) as done(well)
     where c.id = :id and c.last_run_status <> 'failed'
       and not exists (select 1 from jobs where schedule_id = :id and id <> :job and status in ('held', 'queued', 'running'))""")
_FAILED = text("""/* schedules_due.failed */
    update schedules set last_run_status = 'failed', last_run_job_id = :job, updated_at = :now,
           failure_count = failure_count + cast(last_run_status is distinct from 'failed' as int),
           consecutive_failures = consecutive_failures + cast(last_run_status is distinct from 'failed' as int)
     where id = :id""")


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
    next_run_at: datetime
    last_run_status: str | None
    left_alone: bool
    """The guild has removed the bot."""
    job_type: str | None
    params: dict[str, Any] | None
    left_out: list[UUID]
    """Servers that it leaves out, whatever tags they have."""


async def ids(session: AsyncSession, now: datetime, limit: int) -> list[UUID]:
    """Schedules that are due, the longest due first."""
    return list((await session.execute(_DUE, {"now": now, "limit": limit})).scalars())


async def claim(session: AsyncSession, schedule_id: UUID, now: datetime) -> DueSchedule | None:
    """Holds a schedule that is due; None where another process has it or had it."""
    return one(DueSchedule, await session.execute(_CLAIM, {"id": schedule_id, "now": now}))


async def busy(
    session: AsyncSession, org_id: UUID, schedule_id: UUID, servers: Collection[UUID], *, exclusive: bool
) -> dict[UUID, int]:
    """Servers with a live job of the schedule or an exclusive one that runs, and its number. `exclusive`: also with one
    that waits."""
    values = {"org": org_id, "schedule": schedule_id, "servers": list(servers), "exclusive": exclusive}
    return {row.server_id: row.number for row in await session.execute(_BUSY, values)}


async def move_on(
    session: AsyncSession,
    schedule_id: UUID,
    *,
    status: str,
    next_run_at: datetime | None,
    job_id: UUID | None,
    skips: int,
    now: datetime,
) -> None:
    """Writes down what became of a run and when the next one is; None: never, so the schedule is switched off."""
    values = {
        "id": schedule_id,
        "status": status,
        "next_run_at": next_run_at,
        "job": job_id,
        "skips": skips,
        "now": now,
    }
    await session.execute(_MOVE_ON, {**values, "ran": status == "enqueued"})


async def ended(session: AsyncSession, schedule_id: UUID, job_id: UUID, status: str, now: datetime) -> None:
    """Takes the end of one of a schedule's jobs into account: success, cancelled, or anything else for a failure."""
    await session.execute(_LOCK, {"id": schedule_id})
    values = {"id": schedule_id, "job": job_id, "now": now, "success": status == "success"}
    await session.execute(_SETTLED if status in ("success", "cancelled") else _FAILED, values)
