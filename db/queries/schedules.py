"""Schedules as people see and change them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

STEPS: Final = """coalesce((select jsonb_agg(jsonb_build_object('job_type', t.job_type, 'payload', t.payload,
                                 'time_offset_sec', t.time_offset_sec, 'continue_on_failure', t.continue_on_failure)
                                 order by t.sequence)
                       from schedule_tasks t where t.schedule_id = c.id), '[]')"""
"""What a schedule `c` does, in its order."""

_CARDS = f"""
    select c.id, c.name, c.server_instance_id as server_id, s.name as server_name, s.deleted_at is not null as server_gone, c.tag,
           c.cron_expression as expression, c.timezone as zone, c.enabled, c.paused_until, c.skip_next, c.next_run_at,
           c.last_run_at, c.last_run_for, c.last_run_status, c.last_run_reason, j.number as last_job, c.consecutive_failures, {STEPS} as steps,
           c.lead_sec, c.catch_up, c.overlap, c.only_when_online, c.only_when_empty,
           c.execution_window_start as window_start, c.execution_window_end as window_end, c.max_retries, c.backoff_sec,
           c.run_count, c.failure_count, c.created_by_id as author_id,
           coalesce(u.display_name, u.username) as author, u.discord_user_id as author_discord_id,
           (select count(*) from schedule_exclusions x where x.schedule_id = c.id) as left_out
      from schedules c
      left join server_instances s on s.id = c.server_instance_id
      left join all_jobs j on j.id = c.last_run_job_id
      left join users u on u.id = c.created_by_id
     where c.org_id = :org"""
_TAGGED = """select 1 from server_tags t join server_instances ts on ts.id = t.server_instance_id
                    where t.org_id = c.org_id and t.tag = c.tag and ts.deleted_at is null"""
_LIST = text(f"""/* schedules.cards */ {_CARDS}
    and (cast(:words as text) is null or c.name ilike '%' || :words || '%' or s.name ilike '%' || :words || '%')
    and case when c.tag is null then {covered("c.server_instance_id")}
             else exists ({_TAGGED} and {covered("ts.id")})
                  or cast(:everywhere as boolean) and not exists ({_TAGGED}) end
    order by c.enabled desc, c.next_run_at nulls last, lower(c.name), c.id limit :limit offset :offset""")
_ONE = text(f"""/* schedules.card */ {_CARDS}
    and (c.id = cast(:id as uuid) or cast(:name as text) is not null and lower(c.name) = lower(:name))
    order by c.name = :name desc, c.name limit 1""")
_LOCK = text("/* schedules.lock */ select 1 from schedules where id = :id and org_id = :org for update")

_NAMES = text("/* schedules.names */ select name from schedules where org_id = :org and starts_with(name, :start)")

_ADD = text("""/* schedules.add */
    insert into schedules (org_id, server_instance_id, tag, name, cron_expression, timezone, catch_up, overlap,
                           only_when_online, only_when_empty, execution_window_start, execution_window_end, max_retries,
                           backoff_sec, lead_sec, next_run_at, created_by_id, created_at, updated_at)
    values (:org, cast(:server as uuid), cast(:tag as text), :name, :expression, :zone, :catch_up, :overlap,
            :only_online, :only_empty, cast(:window_start as time), cast(:window_end as time), :retries,
            :backoff, :lead, :next_run_at, cast(:author as uuid), :now, :now)
    returning id""")

# A run that is under way keeps the steps with which it began: they are jobs by then. One that is due is still done.
_EDIT = text("""/* schedules.edit */
    update schedules set name = :name, cron_expression = :expression, timezone = :zone, catch_up = :catch_up,
           overlap = :overlap, only_when_online = :only_online, only_when_empty = :only_empty,
           execution_window_start = cast(:window_start as time), execution_window_end = cast(:window_end as time),
           max_retries = :retries, backoff_sec = :backoff, lead_sec = :lead,
           next_run_at = case when enabled and next_run_at <= :now and lead_sec = :lead then next_run_at
                              when enabled then cast(:next_run_at as timestamptz) end, updated_at = :now
     where org_id = :org and id = :id""")

_STEPS = text("""/* schedules.steps */
    with gone as (delete from schedule_tasks t where t.schedule_id = :id and t.sequence > jsonb_array_length(:steps))
    insert into schedule_tasks (schedule_id, sequence, job_type, payload, time_offset_sec, continue_on_failure)
    select :id, sequence, job_type, payload, time_offset_sec, continue_on_failure
      from jsonb_to_recordset(:steps) as r(sequence int, job_type text, payload jsonb, time_offset_sec int,
                                           continue_on_failure boolean)
    on conflict (schedule_id, sequence) do update set job_type = excluded.job_type, payload = excluded.payload,
       time_offset_sec = excluded.time_offset_sec, continue_on_failure = excluded.continue_on_failure""").bindparams(
    bindparam("steps", type_=JSONB)
)

_SKIP = text("""/* schedules.skip */
    update schedules set skip_next = :count, updated_at = :now where org_id = :org and id = :id""")

_PAUSE = text("""/* schedules.pause */
    update schedules set enabled = cast(:until as timestamptz) is not null, paused_until = cast(:until as timestamptz),
           next_run_at = case when cast(:until as timestamptz) is not null then cast(:next_run_at as timestamptz) end,
           updated_at = :now
     where org_id = :org and id = :id""")

_RESUME = text("""/* schedules.resume */
    update schedules set enabled = true, paused_until = null, next_run_at = :next_run_at, updated_at = :now
     where org_id = :org and id = :id""")

# The end of a job locks the job and then its schedule, and a schedule that is deleted is taken out of its jobs.
_HOLD_JOBS = text("""/* schedules.hold_jobs */
    select 1 from jobs where schedule_id = :id and org_id = :org and status in ('held', 'queued', 'running')
     order by id for update""")
_REMOVE = text("/* schedules.remove */ delete from schedules where org_id = :org and id = :id")

_SERVER_IDS = text("""/* schedules.server_ids */
    select s.id from server_instances s
     where s.org_id = :org and s.deleted_at is null
       and (s.id = cast(:server as uuid)
            or exists (select 1 from server_tags t where t.server_instance_id = s.id and t.tag = cast(:tag as text)))
       and not exists (select 1 from schedule_exclusions x where x.schedule_id = :schedule and x.server_instance_id = s.id)""")

_LEAVE_OUT = text("""/* schedules.leave_out */
    insert into schedule_exclusions (org_id, schedule_id, server_instance_id)
    select :org, :schedule, unnest(cast(:servers as uuid[])) on conflict do nothing""")

_EXCLUDED = text("""/* schedules.excluded */
    select server_instance_id from schedule_exclusions where org_id = :org and schedule_id = :schedule""")


@dataclass(frozen=True)
class ScheduleCard:
    """A schedule with its server, its author and how its last run went."""

    id: UUID
    name: str
    server_id: UUID | None
    server_name: str | None
    server_gone: bool
    tag: str | None
    expression: str
    zone: str
    enabled: bool
    paused_until: datetime | None
    skip_next: int
    next_run_at: datetime | None
    last_run_at: datetime | None
    last_run_for: datetime | None
    """The time of the last run, which with a lead may be still to come."""
    last_run_status: str | None
    last_run_reason: str | None
    """Why it was left out; None: it was not, or that may not be told."""
    last_job: int | None
    consecutive_failures: int
    steps: list[dict[str, Any]]
    """What it does, in its order: job_type, payload, time_offset_sec, continue_on_failure."""
    lead_sec: int
    catch_up: bool
    overlap: str
    only_when_online: bool
    only_when_empty: bool
    window_start: time | None
    window_end: time | None
    max_retries: int
    backoff_sec: int
    run_count: int
    failure_count: int
    author_id: UUID | None
    author: str | None
    author_discord_id: int | None
    left_out: int = 0
    """Servers with its tag on which it does nothing."""

    @property
    def next_time(self) -> datetime | None:
        """The time of its next run, which begins so much before that."""
        return self.next_run_at + timedelta(seconds=self.lead_sec) if self.next_run_at else None


async def cards(
    session: AsyncSession, org_id: UUID, *, scope: Scope, words: str = "", limit: int = 11, offset: int = 0
) -> list[ScheduleCard]:
    """Schedules of servers in a scope, the next one first; ask for one more than you show."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") or None
    values = {"org": org_id, "words": like, "limit": limit, "offset": offset, **scope_values(scope)}
    return every(ScheduleCard, await session.execute(_LIST, values))


async def card(
    session: AsyncSession, org_id: UUID, *, schedule_id: UUID | None = None, name: str | None = None
) -> ScheduleCard | None:
    """One schedule, by id or by its name (case does not count)."""
    return one(ScheduleCard, await session.execute(_ONE, {"org": org_id, "id": schedule_id, "name": name}))


async def lock(session: AsyncSession, org_id: UUID, schedule_id: UUID) -> bool:
    """Holds a schedule's row; False where it was removed."""
    return await session.scalar(_LOCK, {"org": org_id, "id": schedule_id}) is not None


async def names(session: AsyncSession, org_id: UUID, start: str) -> set[str]:
    """The names of the org's schedules that begin like this."""
    return set((await session.execute(_NAMES, {"org": org_id, "start": start})).scalars())


async def add(session: AsyncSession, values: dict[str, Any], steps: Sequence[dict[str, Any]]) -> UUID:
    """Writes a schedule. `values`: the names in `_ADD`; `steps`: rows of `schedule_tasks`."""
    schedule_id = (await session.execute(_ADD, values)).scalar_one()
    await session.execute(_STEPS, {"id": schedule_id, "steps": list(steps)})
    return schedule_id


async def edit(
    session: AsyncSession, schedule_id: UUID, values: dict[str, Any], steps: Sequence[dict[str, Any]]
) -> None:
    """Writes a schedule that is there anew. `values`: the names in `_EDIT` but for the id."""
    await session.execute(_EDIT, {**values, "id": schedule_id})
    await session.execute(_STEPS, {"id": schedule_id, "steps": list(steps)})


async def skip(session: AsyncSession, org_id: UUID, schedule_id: UUID, count: int, now: datetime) -> None:
    await session.execute(_SKIP, {"org": org_id, "id": schedule_id, "count": count, "now": now})


async def pause(
    session: AsyncSession,
    org_id: UUID,
    schedule_id: UUID,
    until: datetime | None,
    next_run_at: datetime | None,
    now: datetime,
) -> None:
    """`until` None: until somebody resumes it; else its runs from `next_run_at` on are left out until then."""
    values = {"org": org_id, "id": schedule_id, "until": until, "next_run_at": next_run_at, "now": now}
    await session.execute(_PAUSE, values)


async def resume(
    session: AsyncSession, org_id: UUID, schedule_id: UUID, next_run_at: datetime | None, now: datetime
) -> None:
    await session.execute(_RESUME, {"org": org_id, "id": schedule_id, "next_run_at": next_run_at, "now": now})


async def hold_jobs(session: AsyncSession, org_id: UUID, schedule_id: UUID) -> None:
    """Holds a schedule's live jobs; whoever means to remove it does this before `lock`."""
    await session.execute(_HOLD_JOBS, {"id": schedule_id, "org": org_id})


async def remove(session: AsyncSession, org_id: UUID, schedule_id: UUID) -> None:
    await session.execute(_REMOVE, {"org": org_id, "id": schedule_id})


async def server_ids(session: AsyncSession, org_id: UUID, schedule: ScheduleCard) -> list[UUID]:
    """The servers that a schedule is for now."""
    values = {"org": org_id, "schedule": schedule.id, "server": schedule.server_id, "tag": schedule.tag}
    return list(await session.scalars(_SERVER_IDS, values))


async def leave_out(session: AsyncSession, org_id: UUID, schedule_id: UUID, servers: Collection[UUID]) -> None:
    """Lets a schedule do nothing on these servers, whatever tags they have."""
    await session.execute(_LEAVE_OUT, {"org": org_id, "schedule": schedule_id, "servers": list(servers)})


async def excluded(session: AsyncSession, org_id: UUID, schedule_id: UUID) -> list[UUID]:
    """The servers on which a schedule does nothing, whatever tags they have."""
    return list(await session.scalars(_EXCLUDED, {"org": org_id, "schedule": schedule_id}))
