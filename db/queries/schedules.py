"""Schedules as people see and change them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_CARDS = """
    select c.id, c.name, c.server_instance_id as server_id, s.name as server_name, s.deleted_at is not null as server_gone, c.tag,
           c.cron_expression as expression, c.timezone as zone, c.enabled, c.paused_until, c.skip_next, c.next_run_at,
           c.last_run_at, c.last_run_status, j.number as last_job, c.consecutive_failures, t.job_type,
           c.created_by_id as author_id,
           coalesce(u.display_name, u.username) as author, u.discord_user_id as author_discord_id,
           (select count(*) from schedule_exclusions x where x.schedule_id = c.id) as left_out
      from schedules c
      join schedule_tasks t on t.schedule_id = c.id and t.sequence = 1
      left join server_instances s on s.id = c.server_instance_id
      left join jobs j on j.id = c.last_run_job_id
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
    with made as (
      insert into schedules (org_id, server_instance_id, tag, name, cron_expression, timezone, catch_up, next_run_at,
                             created_by_id, created_at, updated_at)
      values (:org, cast(:server as uuid), cast(:tag as text), :name, :expression, :zone, :catch_up, :next_run_at,
              cast(:author as uuid), :now, :now)
      returning id)
    insert into schedule_tasks (schedule_id, sequence, job_type, payload)
    select id, 1, :job_type, :params from made returning schedule_id""").bindparams(bindparam("params", type_=JSONB))

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

_TAGS = text(f"""/* schedules.tags */
    select t.tag, count(*) as servers from server_tags t
      join server_instances s on s.id = t.server_instance_id and s.deleted_at is null
     where s.org_id = :org and starts_with(t.tag, :start) and {covered("s.id")} group by t.tag order by t.tag limit 25""")

_SERVER_IDS = text("""/* schedules.server_ids */
    select s.id from server_instances s
     where s.org_id = :org and s.deleted_at is null
       and (s.id = cast(:server as uuid)
            or exists (select 1 from server_tags t where t.server_instance_id = s.id and t.tag = cast(:tag as text)))
       and not exists (select 1 from schedule_exclusions x where x.schedule_id = :schedule and x.server_instance_id = s.id)""")

_LEAVE_OUT = text("""/* schedules.leave_out */
    insert into schedule_exclusions (org_id, schedule_id, server_instance_id)
    select :org, :schedule, unnest(cast(:servers as uuid[])) on conflict do nothing""")

_ZONE = text("/* schedules.zone */ select timezone from orgs where id = :org")


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
    last_run_status: str | None
    last_job: int | None
    consecutive_failures: int
    job_type: str
    author_id: UUID | None
    author: str | None
    author_discord_id: int | None
    left_out: int = 0
    """Servers with its tag on which it does nothing."""


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


async def add(session: AsyncSession, values: dict[str, Any]) -> UUID:
    """Writes a schedule of one step. `values`: the names in `_ADD`."""
    return (await session.execute(_ADD, values)).scalar_one()


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


async def tags(session: AsyncSession, org_id: UUID, start: str = "", *, scope: Scope) -> Sequence[tuple[str, int]]:
    """The first tags of servers in a scope that begin like this, and how many of these servers have each."""
    values = {"org": org_id, "start": start, **scope_values(scope)}
    return [(row.tag, row.servers) for row in await session.execute(_TAGS, values)]


async def server_ids(session: AsyncSession, org_id: UUID, schedule: ScheduleCard) -> list[UUID]:
    """The servers that a schedule is for now."""
    values = {"org": org_id, "schedule": schedule.id, "server": schedule.server_id, "tag": schedule.tag}
    return list(await session.scalars(_SERVER_IDS, values))


async def leave_out(session: AsyncSession, org_id: UUID, schedule_id: UUID, servers: Collection[UUID]) -> None:
    """Lets a schedule do nothing on these servers, whatever tags they have."""
    await session.execute(_LEAVE_OUT, {"org": org_id, "schedule": schedule_id, "servers": list(servers)})


async def zone(session: AsyncSession, org_id: UUID) -> str:
    """The org's time zone."""
    return (await session.execute(_ZONE, {"org": org_id})).scalar_one()
