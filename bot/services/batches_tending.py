"""How a batch goes on: the next ones begin, what rests is left out, and at the end it is over once.

All of it is decided anew from how the jobs stand, by whoever holds the batch: the end of each of its jobs, in the same
transaction; a person who stops it; and a tick, for what both have missed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain.actors import system
from bot.domain.batches import BATCHED, DISTURBING, LeftOut, Target, end_of, room, stops, unable
from bot.domain.rest import Rest
from bot.services import outbox
from bot.services.each import each
from bot.services.jobs_releasing import release
from db.engine import Database
from db.queries import audit_write, batches, jobs
from db.queries.batches import HeldJob, LockedBatch
from db.queries.jobs import LockedJob
from db.queries.rest import left_alone
from db.uow import Tx

_BATCH: Final = 100
_DUTY: Final = "batches.tend"
_LOOK: Final = 25
"""Waiting servers that are looked at together: all of them may be held or in maintenance."""
_FAILED: Final = "another one of its batch failed"


async def job_ended(tx: Tx, job: LockedJob, status: str, *, reason: str, result: Mapping[str, Any] | None) -> None:
    """The end of a job of a batch: the next one begins."""
    if status == "queued" or job.batch_id is None:
        return
    if batch := await batches.lock(tx.session, job.org_id, batch_id=job.batch_id):
        await tend(tx, batch)


async def jobs_ended(tx: Tx, ended: Mapping[UUID | None, UUID]) -> None:
    """The ends of many jobs at once. `ended`: their batches, and of which org each is; None for those of no batch."""
    for batch_id in sorted(batch_id for batch_id in ended if batch_id):
        if batch := await batches.lock(tx.session, ended[batch_id], batch_id=batch_id):
            await tend(tx, batch)


async def tend(tx: Tx, batch: LockedBatch, *, by: UUID | None = None) -> None:
    """Lets a locked batch go on, and shows how it stands. `by`: who has stopped it."""
    if batch.status == "running":
        await _Turns(tx, batch, clock.now()).go_on(by)
    await outbox.edit_tracked(tx, batch.org_id, "batch", batch.id, "batch.progress")


class _Turns:
    """One look at a batch."""

    def __init__(self, tx: Tx, batch: LockedBatch, now: datetime) -> None:
        self._tx, self._batch, self._now = tx, batch, now

    async def go_on(self, by: UUID | None) -> None:
        """Begins, leaves out or cancels what waits; ends the batch where nothing does any more."""
        session, batch = self._tx.session, self._batch
        counts = await batches.counts(session, batch.org_id, batch.id)
        stopped = batch.stopped
        if not stopped and stops(counts, stop_on_failure=batch.stop_on_failure):
            stopped = True
            await batches.stop(session, batch.org_id, batch.id, by=None, now=self._now)
            await self._audit("batch.stop", reason=_FAILED, notBegun=counts.held)
        changed = await self._cancel(by) if stopped else await self._begin(room(counts, batch.max_parallel))
        after = await batches.counts(session, batch.org_id, batch.id) if changed else counts
        if how := end_of(after, stopped=stopped):
            await self._end(how)

    async def _cancel(self, by: UUID | None) -> int:
        waiting = await batches.held(self._tx.session, self._batch.org_id, self._batch.id)
        reason = f"W-{self._batch.number} was stopped before its turn"
        await self._drop(waiting, reason, by)
        return len(waiting)

    async def _begin(self, free: int) -> int:
        """Until there is no room. What is left out takes none, so the next one has its turn."""
        batch, changed = self._batch, 0
        while free > 0 and (
            following := await batches.held(self._tx.session, batch.org_id, batch.id, max(free, _LOOK))
        ):
            resting = await self._resting(following)
            left: list[LeftOut] = []
            for job in following:
                if free == 0:
                    break
                changed += 1
                if out := _why_not(batch.action, job, resting, self._now):
                    left.append(out)
                    await self._drop([job], out.reason, None)
                    continue
                free -= 1
                await jobs.release(self._tx.session, job.id, self._now)
                await self._tx.notify("gk_jobs", str(job.host_id or ""))
            await self._leave_out(left)
        return changed

    async def _resting(self, following: Sequence[HeldJob]) -> Mapping[UUID, Rest]:
        if self._batch.action not in DISTURBING:
            return {}
        servers = [job.server_id for job in following if job.server_id]
        return await left_alone(self._tx.session, self._batch.org_id, servers, self._now)

    async def _leave_out(self, left: Sequence[LeftOut]) -> None:
        if left:
            batch = self._batch
            await batches.leave_out(self._tx.session, batch.org_id, batch.id, [out.dump() for out in left])
            await self._audit("batch.leave_out", leftOut={out.name: out.reason for out in left})

    async def _drop(self, waiting: Sequence[HeldJob], reason: str, by: UUID | None) -> None:
        found = [job.id for job in waiting]
        if found:
            await batches.cancel(self._tx.session, self._batch.org_id, found, reason=reason, by=by, now=self._now)
        for job_id in found:  # a run of a schedule may wait for one of them, however it ends
            for follower in await jobs.followers(self._tx.session, job_id):
                await release(self._tx, follower)

    async def _end(self, how: str) -> None:
        session, batch = self._tx.session, self._batch
        if await batches.end(session, batch.org_id, batch.id, how, self._now):
            counts = await batches.counts(session, batch.org_id, batch.id)
            kept = {"success": counts.success, "notDone": counts.not_done, "cancelled": counts.cancelled}
            await self._audit("batch.end", status=how, **kept)

    async def _audit(self, action: str, **details: Any) -> None:
        """A row beside that of the unit of work, which is about the end of a job."""
        batch = self._batch
        who = system(_DUTY, batch.org_id, batch.guild_id)
        about = {"number": batch.number, **details}
        row = audit_write.row_of(who, action, "success", resource=("batch", batch.id), details=about)
        await audit_write.write_many(self._tx.session, [row])


def _why_not(action: str, job: HeldJob, resting: Mapping[UUID, Rest], now: datetime) -> LeftOut | None:
    server, name = str(job.server_id or ""), job.server_name or "a server"
    if job.gone or job.server_id is None:
        return LeftOut(server, name, "removed", "it was removed")
    if rest := resting.get(job.server_id):
        kind = "held" if rest.kind == "hold" else "maintenance"
        return LeftOut(server, name, kind, rest.words(now))
    words = unable(BATCHED[action], Target(job.status or "unknown", job.host_online, job.capabilities))
    return LeftOut(server, name, "unable", words) if words else None


class BatchSweep:
    """The tick `batches.tend`: batches that would not go on by themselves."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def tick(self) -> dict[str, int]:
        """Any number of processes may do this at once: each batch is held while it is looked at. One that fails stops
        none of the others."""
        async with self._db.read() as session:
            found = await batches.stuck(session, _BATCH)
        return {"tended": sum(await each(found, self._one))}

    async def _one(self, found: tuple[UUID, UUID]) -> int:
        batch_id, org_id = found
        async with self._db.uow(system(_DUTY, org_id)) as tx:
            batch = await batches.lock(tx.session, org_id, batch_id=batch_id)
            if batch is None or batch.status != "running":
                return 0
            await tend(tx, batch)
            return 1
