"""The jobs of many runs, written at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

# As `jobs.enqueue` does for one: the numbers, the jobs, the messages that will follow them, and what the outbox owes. All are
# one statement, so a job may wait for another of them. Fewer come back where a dedupe key is taken or a host is gone.
_MAKE = text("""/* schedules_jobs.make */
    with place as (
      select coalesce((select c.discord_channel_id from notification_channels c
                        where c.org_id = :org and c.purpose = 'ops' and c.type = 'discord_channel' and c.enabled
                        order by c.created_at, c.id limit 1),
                      cast(:typed_in as bigint)) as channel_id),
    wanted as (
      select * from jsonb_to_recordset(:jobs) as r(
               place int, id uuid, server_id uuid, host_id uuid, type text, payload jsonb, exclusive boolean,
               schedule_id uuid, after uuid, after_any boolean, key text, attempts int, backoff_sec int, timeout_sec int,
               not_before timestamptz, waits_sec float)),
    box as (
      select id from hosts where org_id = :org and deleted_at is null and id in (select host_id from wanted) for key share),
    counter as (
      insert into org_counters (org_id, name, value) values (:org, 'job', :count)
      on conflict (org_id, name) do update set value = org_counters.value + :count returning value),
    made as (
      insert into jobs (id, org_id, number, server_instance_id, host_id, type, payload, is_exclusive, priority, status,
                        source, schedule_id, after_job_id, after_any, dedupe_key, max_attempts, backoff_sec, timeout_sec,
                        not_before, expires_at, created_by_id, created_at)
      select r.id, :org, counter.value - :count + r.place, r.server_id, r.host_id, r.type, r.payload, r.exclusive, :priority,
             case when r.after is null then 'queued' else 'held' end, 'schedule', r.schedule_id, r.after, r.after_any, r.key,
             r.attempts, r.backoff_sec, r.timeout_sec, r.not_before, r.not_before + make_interval(secs => r.waits_sec),
             cast(:author as uuid), :now
        from counter cross join wanted r join box on box.id = r.host_id
       order by r.place
      on conflict (org_id, dedupe_key) where dedupe_key is not null and status in ('held', 'queued', 'running') do nothing
      returning id, number, host_id),
    message as (
      insert into bot_messages (org_id, kind, subject_id, channel_id, created_at)
      select :org, 'job', made.id::text, place.channel_id, :now from made, place where place.channel_id is not null
       order by made.number
      returning id, channel_id, subject_id),
    owed as (
      insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type,
                                     payload_json, dedupe_key, next_attempt_at, created_at)
      select :org, 'channel', message.channel_id, message.id, 'post', 'job.queued', '{}',
             'job.queued:' || message.subject_id || '\\:1', :now, :now
        from message join made on made.id::text = message.subject_id order by made.number),
    woken as (select pg_notify('gk_jobs', host_id::text), pg_notify('gk_outbox', '') from made group by host_id)
    select made.number, (select count(*) from woken) as hosts from made order by made.number""").bindparams(
    bindparam("jobs", type_=JSONB)
)

# All who lock a chain go down it.
_WARNINGS = text("""/* schedules_jobs.warnings */
    select w.id from jobs j
      join jobs w on w.schedule_id = j.schedule_id and w.created_at = j.created_at
                 and w.server_instance_id = j.server_instance_id and w.number < j.number
     where j.org_id = :org and j.number = :number and j.type <> 'ANNOUNCE' and j.status = 'held'
       and w.type = 'ANNOUNCE' and w.status in ('held', 'queued')
     order by w.number for update of w""")


@dataclass(frozen=True)
class NewJob:
    """A step of a run on a server, not written yet."""

    id: UUID
    server_id: UUID
    host_id: UUID
    type: str
    payload: dict[str, Any]
    exclusive: bool
    schedule_id: UUID
    after: UUID | None
    after_any: bool
    key: str | None
    attempts: int
    backoff_sec: int
    timeout_sec: int
    not_before: datetime
    waits_sec: float | None

    def row(self, place: int) -> dict[str, Any]:
        plain = {name: str(value) if isinstance(value, UUID) else value for name, value in vars(self).items()}
        return {**plain, "not_before": self.not_before.isoformat(), "place": place}


async def make(
    session: AsyncSession,
    org_id: UUID,
    jobs: Sequence[NewJob],
    *,
    priority: int,
    author: UUID | None,
    typed_in: int | None,
    now: datetime,
) -> list[int]:
    """Writes jobs, and returns their numbers in the same order; fewer where a dedupe key is taken or a host is gone."""
    values = {"org": org_id, "count": len(jobs), "author": author, "typed_in": typed_in, "now": now}
    rows = [job.row(place) for place, job in enumerate(jobs, 1)]
    result = await session.execute(_MAKE, {**values, "priority": priority, "jobs": rows})
    return [row.number for row in result]


async def warnings(session: AsyncSession, org_id: UUID, number: int) -> list[UUID]:
    """Holds the announcements that come before a job that waits in the chain of a schedule, the first one first."""
    return list(await session.scalars(_WARNINGS, {"org": org_id, "number": number}))
