"""What nobody reports: offers that were never begun, runs whose host went silent, jobs that waited too long."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.actors import system
from bot.domain.jobs import after_run
from bot.domain.outcomes import expiry_reason
from bot.services.each import each
from bot.services.jobs_ending import end
from db.engine import Database
from db.queries import job_runs, jobs
from db.queries.job_runs import Lapsed
from db.queries.jobs import LockedJob

_BATCH: Final = 200
_LEASES: Final = "leases.sweep"
_EXPIRY: Final = "queue.expire"


class JobSweep:
    """Ends what will not end by itself. Any number of processes may sweep."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def reachable(self) -> None:
        """Raises `Unavailable` when the database does not answer."""
        async with self._db.read() as session:
            await job_runs.lapsed(session, 0)

    async def leases(self) -> dict[str, int]:
        """Takes back unstarted offers whose lease has passed, and marks begun runs as lost."""
        async with self._db.read() as session:
            lapsed = await job_runs.lapsed(session, _BATCH)
        ended = await each(lapsed, lambda run: self._lose(run) if run.status == "running" else self._take_back(run))
        return {"lost": ended.count("lost"), "returned": ended.count("returned")}

    async def _take_back(self, run: Lapsed) -> str:
        async with self._db.uow(system(_LEASES)) as tx:
            await jobs.lock(tx.session, run.job_id)  # always the job first, then its run
            return "returned" if await job_runs.take_back(tx.session, run.run_id) else ""

    async def _lose(self, lapsed: Lapsed) -> str:
        async with self._db.uow(system(_LEASES)) as tx:
            job = await jobs.lock(tx.session, lapsed.job_id)
            run = await job_runs.lock(tx.session, lapsed.run_id) if job else None
            if job is None or run is None or not run.lapsed:
                return ""
            tx.actor = system(_LEASES, job.org_id, job.guild_id)
            verdict = after_run(
                "lost",
                run.attempt,
                job.max_attempts,
                cancel_requested=job.cancel_requested_at is not None,
                first_wait=timedelta(seconds=job.backoff_sec),
            )
            await job_runs.lose(tx.session, run.id, verdict.reason, clock.now())
            retry_at = None if verdict.retry_in is None else clock.now() + verdict.retry_in
            followers = await end(tx, job, verdict.status, reason=verdict.reason, run_id=run.id, not_before=retry_at)
            tx.audit(
                "job.lost",
                resource=("job", job.id),
                number=job.number,
                type=job.type,
                status=verdict.status,
                attempt=run.attempt,
                followers=followers,
            )
            return "lost"

    async def expiry(self) -> dict[str, int]:
        """Ends queued jobs whose time has passed; their message says whose host did not come back."""
        async with self._db.read() as session:
            expired = await job_runs.expired(session, _BATCH, clock.now())
        return {"expired": sum(await each(expired, self._expire))}

    async def _expire(self, job_id: UUID) -> bool:
        async with self._db.uow(system(_EXPIRY)) as tx:
            job = await jobs.lock(tx.session, job_id)
            if job is None or not await job_runs.past_expiry(tx.session, job_id, clock.now()):
                return False
            tx.actor = system(_EXPIRY, job.org_id, job.guild_id)
            waited = (job.expires_at or clock.now()) - job.not_before
            reason = expiry_reason(_host_words(job), job.host_status, waited)
            followers = await end(tx, job, "expired", reason=reason)
            tx.audit(
                "job.expire",
                resource=("job", job.id),
                number=job.number,
                type=job.type,
                reason=reason,
                followers=followers,
            )
            return True


def _host_words(job: LockedJob) -> str | None:
    if job.host_name is None:
        return None
    return f"{job.server_name}'s host {job.host_name}" if job.server_name else f"The host {job.host_name}"
