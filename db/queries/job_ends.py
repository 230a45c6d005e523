"""The ends of many runs at once: those that change nothing but their run, their job and what is told about it."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# Always the job first, then its run. What somebody else holds is left out: whoever holds many rows must not wait for one.
_OPEN = text("""/* job_ends.open */
    with job as materialized (
      select j.* from jobs j where j.id in (select job_id from job_runs where id = any(cast(:runs as uuid[])))
         for update of j skip locked)
    select r.id as run_id, r.host_id, r.claim_token, r.attempt, job.id as job_id, job.org_id, job.number, job.type,
           job.max_attempts, job.cancel_requested_at is not null as cancel_requested, job.server_instance_id as server_id,
           job.schedule_id, job.batch_id
      from job join job_runs r on r.job_id = job.id
     where r.id = any(cast(:runs as uuid[])) and r.status in ('claimed', 'running')
       for update of r skip locked""")

# A job that others wait for is left out. Who waits is known here and not before: this statement sees what was committed
# until the lock on the job was taken, and nobody can begin to wait for a locked job.
_WRITE = text("""/* job_ends.write */
    with ends as (
      select * from jsonb_to_recordset(:ends) as e(
        run_id uuid, job_id uuid, org_id uuid, host_id uuid, run_status text, status text, duration_ms int, error text,
        output text, result jsonb, reason text, told jsonb)
       where not exists (select 1 from jobs f where f.after_job_id = e.job_id and f.status = 'held')),
    runs as (
      update job_runs r set status = e.run_status, finished_at = :now, duration_ms = e.duration_ms, error_message = e.error,
             started_at = coalesce(r.started_at, :now), output = e.output, result = e.result
        from ends e where r.id = e.run_id),
    ended as (
      update jobs j set status = e.status, finished_at = :now from ends e where j.id = e.job_id),
    happened as (
      insert into events (org_id, source_type, source_id, event_type, payload, ts, received_at)
      select org_id, 'job_run', run_id::text, 'job.' || status, told, :now, :now from ends),
    owed as (
      insert into notification_jobs (org_id, target_kind, discord_channel_id, bot_message_id, op, event_type, payload_json,
                                     next_attempt_at, created_at)
      select m.org_id, 'channel', m.channel_id, m.id, 'edit', 'job.' || e.status, jsonb_build_object('reason', e.reason),
             greatest(cast(:now as timestamptz), m.next_edit_at), :now
        from ends e join bot_messages m on m.org_id = e.org_id and m.kind = 'job' and m.subject_id = e.job_id::text
       where m.disabled_reason is null
      on conflict (bot_message_id) where op = 'edit' and status = 'pending' do update set event_type = excluded.event_type)
    select run_id, pg_notify('gk_jobs', host_id::text), pg_notify('gk_outbox', '') from ends""").bindparams(
    bindparam("ends", type_=JSONB)
)


@dataclass(frozen=True)
class OpenRun:
    """A run that is not over and its job; this transaction holds both rows."""

    run_id: UUID
    host_id: UUID
    claim_token: UUID
    attempt: int
    job_id: UUID
    org_id: UUID
    number: int
    type: str
    max_attempts: int
    cancel_requested: bool
    server_id: UUID | None
    schedule_id: UUID | None
    batch_id: UUID | None


@dataclass(frozen=True)
class End:
    """How a run and its job end."""

    run_id: UUID
    job_id: UUID
    org_id: UUID
    host_id: UUID
    run_status: str
    status: str
    duration_ms: int
    error: str | None
    output: str
    result: dict[str, Any]
    reason: str
    told: dict[str, Any]
    """The payload of the event."""


async def open_runs(session: AsyncSession, runs: Collection[UUID]) -> dict[UUID, OpenRun]:
    """Those of the runs that are not over and that nobody else is about to change, locked with their jobs."""
    return {run.run_id: run for run in every(OpenRun, await session.execute(_OPEN, {"runs": list(runs)}))}


async def write(session: AsyncSession, ends: Sequence[End], now: datetime) -> set[UUID]:
    """Ends locked runs and jobs, with event and edits. Returns the runs that have ended: those whose job nobody waits for."""
    rows = [
        {name: str(value) if isinstance(value, UUID) else value for name, value in asdict(end).items()} for end in ends
    ]
    return {row.run_id for row in await session.execute(_WRITE, {"ends": rows, "now": now})}
