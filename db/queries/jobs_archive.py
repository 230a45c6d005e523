"""Finished jobs leave the queue for tables of their own; the views `all_jobs` and `all_job_runs` have both."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_JOB = """
    id, org_id, number, batch_id, server_instance_id, host_id, type, payload, is_exclusive, priority, status,
    source, schedule_id, macro_id, after_job_id, after_any, dedupe_key, max_attempts, backoff_sec,
    timeout_sec, not_before, expires_at, cancel_requested_at, cancelled_by_id, created_by_id, created_at,
    finished_at"""
_RUN = """
    id, org_id, job_id, host_id, server_instance_id, attempt, status, is_exclusive, claim_token,
    lease_expires_at, started_at, last_progress_at, progress_phase, progress_message, finished_at,
    duration_ms, error_message, output, result, log_ref, created_at"""

# A chain stays together as long as the next one is live. A job that somebody holds is left to the next time.
_MOVE = text(f"""/* jobs_archive.move */
    with due as materialized (
      select j.id from jobs j
       where j.finished_at < :before
         and not exists (select 1 from jobs f where f.after_job_id = j.id and f.status in ('held', 'queued', 'running'))
       order by j.finished_at limit :limit for update skip locked),
    moved as (insert into jobs_archive ({_JOB}) select {_JOB} from jobs where id in (select id from due)),
    runs as (insert into job_runs_archive ({_RUN}) select {_RUN} from job_runs where job_id in (select id from due)),
    gone as (delete from jobs where id in (select id from due) returning 1)
    select count(*) from gone""")

_THERE = text("/* jobs_archive.there */ select 1 from jobs_archive where org_id = :org and number = :number")


async def move(session: AsyncSession, before: datetime, limit: int) -> int:
    """Moves at most `limit` jobs that ended before; how many there were."""
    return int(await session.scalar(_MOVE, {"before": before, "limit": limit}) or 0)


async def there(session: AsyncSession, org_id: UUID, number: int) -> bool:
    """Is there an archived job of this number?"""
    return await session.scalar(_THERE, {"org": org_id, "number": number}) is not None
