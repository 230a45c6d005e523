"""The turn of a job that waits for another one."""

from bot import clock
from bot.services import outbox
from db.queries import jobs
from db.queries.jobs import LockedJob
from db.uow import Tx


async def release(tx: Tx, job: LockedJob) -> None:
    """A locked job waits for its host from now on, and no longer for the job before it."""
    await jobs.release(tx.session, job.id, clock.now())
    await outbox.edit_tracked(tx, job.org_id, "job", job.id, "job.queued")
    await tx.notify("gk_jobs", str(job.host_id or ""))
