"""The end of a job, whoever brings it about: its state, its event, its messages, and the jobs that wait for it."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bot import clock
from bot.domain.outcomes import desired_when_ended, status_when_ended
from bot.services import outbox, sightings
from bot.services.jobs_effects import effects_of
from bot.services.jobs_releasing import release
from db.queries import fleet, jobs
from db.queries.jobs import LockedJob
from db.uow import Tx


async def end(
    tx: Tx,
    job: LockedJob,
    status: str,
    *,
    reason: str,
    run_id: UUID | None = None,
    not_before: datetime | None = None,
    by: UUID | None = None,
    result: Mapping[str, Any] | None = None,
) -> list[int]:
    """Ends a locked job, or queues it again for `not_before`. `result`: what its run brought, None where it brought
    nothing. Returns the numbers of the jobs that were released or cancelled with it, a whole chain of them where each
    needs the one before."""
    followed = await _end_one(
        tx, job, status, reason=reason, run_id=run_id, not_before=not_before, by=by, result=result
    )
    return await _pass_on(tx, job, status) if followed and status != "queued" else []


async def _end_one(
    tx: Tx,
    job: LockedJob,
    status: str,
    *,
    reason: str,
    run_id: UUID | None = None,
    not_before: datetime | None = None,
    by: UUID | None = None,
    result: Mapping[str, Any] | None = None,
) -> bool:
    """The end of this one job. Returns whether others wait for it."""
    payload = {"number": job.number, "type": job.type, "reason": reason}
    told = await jobs.end(
        tx.session,
        job,
        status,
        payload={**payload, "serverId": str(job.server_id or "")},
        run_id=run_id,
        not_before=not_before,
        by=by,
        now=clock.now(),
    )
    for message in told.messages:
        await outbox.edit(
            tx.session, org_id=job.org_id, message=message, event_type=f"job.{status}", payload={"reason": reason}
        )
    if job.server_id and (server_status := status_when_ended(job.type, status)):
        await sightings.server_is(tx, job.org_id, job.server_id, server_status, note=f"J-{job.number}")
    if job.server_id and job.host_id and (wanted := desired_when_ended(job.type, status)):
        await fleet.desire(tx.session, job.org_id, job.server_id, wanted, clock.now())
        await fleet.raise_revision(tx.session, job.org_id, job.host_id, clock.now())
    for effect in effects_of(job.type, job.schedule_id, job.batch_id):
        await effect(tx, job, status, reason=reason, result=result)
    return told.followed


async def _pass_on(tx: Tx, first: LockedJob, status: str) -> list[int]:
    """Releases the held jobs whose turn has come and cancels those that needed the one before them to succeed."""
    numbers: list[int] = []
    ended = deque([(first, status)])
    while ended:
        job, status = ended.popleft()
        for follower in await jobs.followers(tx.session, job.id):
            numbers.append(follower.number)
            if status == "success" or follower.after_any:
                await release(tx, follower)
                continue
            reason = f"J-{job.number}, which comes before it, did not succeed"
            if await _end_one(tx, follower, "cancelled", reason=reason):
                ended.append((follower, "cancelled"))
    return numbers
