"""How a schedule's jobs ended, written down on the schedule in the transaction of the end."""

from collections.abc import Mapping
from typing import Any

from bot import clock
from db.queries import schedules_due
from db.queries.jobs import LockedJob
from db.uow import Tx


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """Success, failure (expired, too) or neither: it was cancelled, or is tried again (`queued`)."""
    if job.schedule_id is not None and status != "queued":
        await schedules_due.ended(tx.session, job.schedule_id, job.id, reason, clock.now())
