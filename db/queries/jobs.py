"""Jobs as people see them: written, looked up, cancelled, ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.jobs import JobStatus
from db.rows import every, one

# One round trip: the number, the job, the message that will follow it, and what the outbox owes. The wake-ups leave with the
# commit. No row where its dedupe key is taken, where its host is gone, or where the job before it is gone or has ended as it
# must not. Both are locked: neither can end unnoticed between the look at it and the commit. The server comes before its
# host, and both before the number: whoever changes a server holds them in this order, so nobody waits in a circle.
_ENQUEUE = text("""/* jobs.enqueue */
    with place as (
      select case when not :quiet then
               coalesce(cast(:channel as bigint),
                        (select c.discord_channel_id from notification_channels c
                          where c.org_id = :org and c.purpose = 'ops' and c.type = 'discord_channel' and c.enabled
                          order by c.created_at, c.id limit 1),
                        cast(:typed_in as bigint)) end as channel_id),
    spot as (select id from server_instances where id = cast(:server as uuid) for key share),
    box as (
      select id from hosts where org_id = :org and id = cast(:host as uuid) and deleted_at is null
         and (cast(:server as uuid) is null or exists (select 1 from spot)) for key share),
    before as (select id, status from jobs where org_id = :org and id = cast(:after as uuid) for share),
    counter as (
      insert into org_counters (org_id, name, value) select :org, 'job', 1 from box
      on conflict (org_id, name) do update set value = org_counters.value + 1 returning value),
    made as (
      insert into jobs (org_id, number, server_instance_id, host_id, type, payload, is_exclusive, priority, status,
                        source, schedule_id, batch_id, macro_id, after_job_id, after_any, dedupe_key, max_attempts, backoff_sec,
                        timeout_sec, not_before, expires_at, created_by_id, created_at)
      select :org, value, cast(:server as uuid), cast(:host as uuid), :type, :payload, :exclusive, :priority,
             case when before.status in ('held', 'queued', 'running') then 'held' else 'queued' end, :source,
             cast(:schedule as uuid), cast(:batch as uuid), cast(:macro as uuid), cast(:after as uuid), :after_any,
             cast(:dedupe as text), :attempts, :backoff, :timeout, :not_before, cast(:expires as timestamptz),
             cast(:author as uuid), :now
        from counter cross join box left join before on true
       where cast(:after as uuid) is null or :after_any and before.id is not null
          or before.status in ('held', 'queued', 'running', 'success')
      on conflict (org_id, dedupe_key) where dedupe_key is not null and status in ('held', 'queued', 'running') do nothing
      returning id, number),
    message as (
      insert into bot_messages (org_id, kind, subject_id, channel_id, created_at)
      select :org, 'job', made.id::text, place.channel_id, :now from made, place where place.channel_id is not null
      returning id, channel_id),
    owed as (
      insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type,
                                     payload_json, dedupe_key, next_attempt_at, created_at)
      select :org, 'channel', message.channel_id, message.id, 'post', 'job.queued', '{}', 'job.queued:' || made.id || '\\:1',
             :now, :now
        from made, message)
    select made.id, made.number, place.channel_id, pg_notify('gk_jobs', cast(:host as uuid)::text), pg_notify('gk_outbox', '')
      from made, place""").bindparams(bindparam("payload", type_=JSONB))

_DEDUPED = text("""/* jobs.deduped */
    select number from jobs where org_id = :org and dedupe_key = :dedupe and status in ('held', 'queued', 'running')""")

_COLUMNS = """
    j.id, j.org_id, o.discord_guild_id as guild_id, j.number, j.type, j.status, j.payload, j.max_attempts,
    j.backoff_sec, j.after_any, j.batch_id, j.dedupe_key, j.schedule_id, j.cancel_requested_at, j.not_before,
    j.expires_at, j.server_instance_id as server_id, s.name as server_name, s.deleted_at is not null as server_gone, j.host_id, h.name as host_name, h.status as host_status,
    h.deleted_at is not null as host_gone
"""
_FROM = """
    from jobs j join orgs o on o.id = j.org_id left join server_instances s on s.id = j.server_instance_id
         left join hosts h on h.id = j.host_id
"""
_LOCK_NUMBER = text(f"""/* jobs.lock_number */ select {_COLUMNS} {_FROM}
    where j.org_id = :org and j.number = :number for update of j""")
_LOCK_ID = text(f"/* jobs.lock */ select {_COLUMNS} {_FROM} where j.id = :id for update of j")
_FOLLOWERS = text(f"""/* jobs.followers */ select {_COLUMNS} {_FROM}
    where j.after_job_id = :id and j.status = 'held' and j.batch_id is null order by j.number for update of j""")
_LOCK_BEFORE = text("""/* jobs.lock_before */
    select b.id from jobs j join jobs b on b.id = j.after_job_id
     where j.org_id = :org and j.number = :number and j.status = 'held' for update of b""")

_SPLICE = text("""/* jobs.splice */
    update jobs f set after_job_id = j.after_job_id from jobs j
     where j.id = :id and f.after_job_id = j.id and f.status = 'held' and f.after_any""")

_DROP_OFFER = text("""/* jobs.drop_offer */
    update job_runs set status = 'cancelled', finished_at = :now, error_message = 'cancelled before it began'
     where job_id = :id and status = 'claimed' returning id""")

_REQUEST_CANCEL = text("""/* jobs.request_cancel */
    update jobs set cancel_requested_at = coalesce(cancel_requested_at, :now), cancelled_by_id = cast(:by as uuid)
     where org_id = :org and id = :id
    returning pg_notify('gk_jobs', host_id::text)""")

# What follows from an end in one round trip: the job, its event, and the messages and jobs that have to hear of it. One that is
# tried again waits for its host as long as it did at first, but for what was to be said at a certain time: see `_RELEASE`.
_END = text("""/* jobs.end */
    with ended as (
      update jobs set status = :status, finished_at = cast(:finished as timestamptz),
             not_before = coalesce(cast(:not_before as timestamptz), not_before),
             expires_at = case when type = 'ANNOUNCE' and not_before > created_at then expires_at
                               else expires_at + coalesce(cast(:not_before as timestamptz) - not_before, interval '0') end,
             cancelled_by_id = coalesce(cast(:by as uuid), cancelled_by_id)
       where id = :id),
    told as (
      insert into events (org_id, source_type, source_id, event_type, payload, ts, received_at)
      values (:org, 'job_run', :source, :event, :payload, :now, :now))
    select array(select m.id from bot_messages m
                  where m.org_id = :org and m.kind = 'job' and m.subject_id = cast(:id as uuid)::text) as messages,
           exists (select 1 from jobs f where f.after_job_id = :id and f.status = 'held' and f.batch_id is null) as followed,
           pg_notify('gk_jobs', cast(:host as uuid)::text), pg_notify('gk_outbox', '')""").bindparams(
    bindparam("payload", type_=JSONB)
)

# What was to be said at a certain time is not said later: "in 5 minutes" would be wrong by then.
_RELEASE = text("""/* jobs.release */
    update jobs set status = 'queued',
           expires_at = case when type = 'ANNOUNCE' and not_before > created_at then expires_at
                             else greatest(not_before, cast(:now as timestamptz)) + (expires_at - not_before) end,
           not_before = greatest(not_before, cast(:now as timestamptz))
     where id = :id""")


@dataclass(frozen=True)
class Written:
    """A job that was just written, and the channel where its progress will show; None: nowhere."""

    id: UUID
    number: int
    channel_id: int | None


@dataclass(frozen=True)
class LockedJob:
    """A job whose row this transaction holds, with the names that sentences need."""

    id: UUID
    org_id: UUID
    guild_id: int
    number: int
    type: str
    status: JobStatus
    payload: dict[str, Any]
    max_attempts: int
    backoff_sec: int
    after_any: bool
    batch_id: UUID | None
    dedupe_key: str | None
    schedule_id: UUID | None
    cancel_requested_at: datetime | None
    not_before: datetime
    expires_at: datetime | None
    server_id: UUID | None
    server_name: str | None
    server_gone: bool | None
    host_id: UUID | None
    host_name: str | None
    host_status: str | None
    host_gone: bool | None


@dataclass(frozen=True)
class Told:
    """Who has to hear of a job's end."""

    messages: Sequence[UUID]
    followed: bool


async def enqueue(session: AsyncSession, values: dict[str, Any]) -> Written | None:
    """Writes a job with all that belongs to it; None where its dedupe key is taken, its host is gone, or the job before
    it has ended as it must not. `values`: the names in `_ENQUEUE`."""
    row = (await session.execute(_ENQUEUE, values)).one_or_none()
    return None if row is None else Written(row.id, row.number, row.channel_id)


async def deduped(session: AsyncSession, org_id: UUID, dedupe_key: str) -> int | None:
    """The number of the live job that holds a dedupe key."""
    return await session.scalar(_DEDUPED, {"org": org_id, "dedupe": dedupe_key})


async def lock_number(session: AsyncSession, org_id: UUID, number: int) -> LockedJob | None:
    """The one that it waits for is locked, too, and first: all who lock a chain go down it."""
    await session.execute(_LOCK_BEFORE, {"org": org_id, "number": number})
    return one(LockedJob, await session.execute(_LOCK_NUMBER, {"org": org_id, "number": number}))


async def lock(session: AsyncSession, job_id: UUID) -> LockedJob | None:
    return one(LockedJob, await session.execute(_LOCK_ID, {"id": job_id}))


async def followers(session: AsyncSession, job_id: UUID) -> list[LockedJob]:
    """The held jobs that wait for this one. Whose turn it is in a batch, that decides itself."""
    return every(LockedJob, await session.execute(_FOLLOWERS, {"id": job_id}))


async def splice(session: AsyncSession, job_id: UUID) -> None:
    """A held job leaves its chain: those that come after it however it ends wait for the one before it from now on."""
    await session.execute(_SPLICE, {"id": job_id})


async def drop_offer(session: AsyncSession, job_id: UUID, now: datetime) -> UUID | None:
    """Takes back an offer that its host has not begun; the run's id, None where there is none."""
    return (await session.execute(_DROP_OFFER, {"id": job_id, "now": now})).scalar_one_or_none()


async def request_cancel(session: AsyncSession, org_id: UUID, job_id: UUID, by: UUID | None, now: datetime) -> None:
    await session.execute(_REQUEST_CANCEL, {"org": org_id, "id": job_id, "by": by, "now": now})


async def end(
    session: AsyncSession,
    job: LockedJob,
    status: str,
    *,
    payload: dict[str, Any],
    run_id: UUID | None,
    not_before: datetime | None,
    by: UUID | None,
    now: datetime,
) -> Told:
    """Writes a job's new state and its event. `not_before`: it is queued again for then."""
    values = {
        "id": job.id,
        "org": job.org_id,
        "host": job.host_id,
        "status": status,
        "finished": None if status == "queued" else now,
        "not_before": not_before,
        "by": by,
        "source": str(run_id or job.id),
        "event": f"job.{'retry' if status == 'queued' else status}",
        "payload": payload,
        "now": now,
    }
    row = (await session.execute(_END, values)).one()
    return Told(row.messages, row.followed)


async def release(session: AsyncSession, job_id: UUID, now: datetime) -> None:
    """A held job's turn has come. It begins at once or, where that is later, when it was planned for; its time to wait
    for the host counts from then."""
    await session.execute(_RELEASE, {"id": job_id, "now": now})
