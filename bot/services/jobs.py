"""Jobs as people use them: give one to a host, follow it, cancel it, do it again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from agent import wire
from bot import clock
from bot.domain.actions import POWER
from bot.domain.actors import Actor
from bot.domain.jobs import FINAL, JOBS, LIVE, JobType
from bot.errors import Conflict, NotFound
from bot.services.holds import must_not_be_held
from bot.services.jobs_ending import end
from bot.services.jobs_enqueue import Enqueued, enqueue
from bot.services.outbox import edit_tracked
from bot.services.servers import PAGE, Page, must_see, seen
from db.engine import Database
from db.queries import cards, jobs, jobs_archive, outbox, schedules_jobs
from db.queries.cards import JobCard
from db.queries.jobs import LockedJob
from db.uow import Tx

_VIEW: Final = "jobs.view"
_PARAMS: Final[TypeAdapter[wire.JobParams]] = TypeAdapter(wire.JobParams)


class Jobs:
    """What people do with jobs. Their hosts' side is `JobQueue`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def cancel(self, actor: Actor, number: int) -> LockedJob:
        """`/job cancel`: at once when its host has not begun it, else the host is asked to stop it.

        Raises:
            NotFound, NotPermitted, Conflict: no such job, not allowed, or it has ended.
        """
        async with self._db.uow(actor) as tx:
            job, followers = await self.cancel_in(tx, number, permission="jobs.cancel")
            also = {"followers": followers} if followers else {}
            tx.audit("job.cancel", resource=("job", job.id), number=number, type=job.type, was=job.status, **also)
        return job

    async def cancel_in(self, tx: Tx, number: int, *, permission: str = "") -> tuple[LockedJob, list[int]]:
        """Cancels within a unit of work of the caller, who names it in the audit row. Returns the job as it was, and
        the numbers of those that were released or cancelled with it: also of what announces it in a schedule."""
        warnings = await schedules_jobs.warnings(tx.session, tx.actor.org, number)
        job = await self._locked(tx, number, permission)
        if job.status in FINAL:
            raise Conflict(f"J-{number} has ended already: {job.status}.", "`/job show` says how.")
        run_id = await jobs.drop_offer(tx.session, job.id, clock.now()) if job.status == "running" else None
        if job.status == "running" and run_id is None:
            await jobs.request_cancel(tx.session, job.org_id, job.id, tx.actor.user_id, clock.now())
            await edit_tracked(tx, job.org_id, "job", job.id, "job.cancelling")
            return job, []
        if job.status == "held":
            await jobs.splice(tx.session, job.id)
        ended = await end(tx, job, "cancelled", reason="cancelled by hand", run_id=run_id, by=tx.actor.user_id)
        return job, [*await _unannounced(tx, warnings, job), *ended]

    async def retry(self, actor: Actor, number: int) -> Enqueued:
        """`/job retry`: a new job with the same parameters, for one that did not succeed.

        Raises:
            NotFound, NotPermitted, Conflict: no such job, not allowed, held, or there is nothing to retry.
        """
        async with self._db.uow(actor) as tx:
            old = await self._locked(tx, number, "jobs.cancel")
            if old.status in LIVE or old.status == "success":
                raise Conflict(
                    f"J-{number} is {old.status}: there is nothing to retry.", "Give the command again instead."
                )
            if instead := JOBS[JobType(old.type)].instead:
                raise Conflict(f"J-{number} cannot be done again by itself.", instead)
            gone = old.server_gone and old.type != JobType.SERVER_REMOVE  # that one's server is always gone
            if old.host_id is None or old.host_gone or gone:
                raise Conflict(f"The server or host of J-{number} was removed.", "Give the command for another one.")
            places = await outbox.messages(tx.session, old.org_id, "job", str(old.id))
            job_type = JobType(old.type)
            if job_type in POWER and (server := await cards.server(tx.session, old.org_id, server_id=old.server_id)):
                await must_not_be_held(tx, server)
            job = await enqueue(
                tx,
                type=job_type,
                host_id=old.host_id,
                server_id=old.server_id,
                params=params_of(old.type, old.payload),
                channel_id=places[0][1] if places else None,
                dedupe_key=old.dedupe_key or f"retry:{old.id}",
            )
            tx.audit("job.retry", resource=("job", job.id), number=job.number, type=old.type, of=number)
        return job

    async def _locked(self, tx: Tx, number: int, permission: str) -> LockedJob:
        job = await jobs.lock_number(tx.session, tx.actor.org, number)
        if job is None and await jobs_archive.there(tx.session, tx.actor.org, number):
            raise Conflict(f"J-{number} ended long ago.", "`/job show` says how; give the command again.")
        if job is None:
            raise NotFound(f"There is no job J-{number} here.", "`/job list` shows what there is.")
        if job.type not in JobType.__members__:
            raise Conflict(f"J-{number} is of a later version of the bot.", "Try again when this one is replaced.")
        for needed in filter(None, (permission, JOBS[JobType(job.type)].permission)):
            await tx.require(needed, server_id=job.server_id)
        return job

    async def show(self, actor: Actor, number: int, *, whole: bool = False) -> JobCard:
        """A job as it is now. `whole`: its whole output is wanted, which needs a permission more."""
        async with self._db.read() as session:
            card = await cards.job(session, actor.org, number=number)
            if card is None:
                raise NotFound(f"There is no job J-{number} here.", "`/job list` shows what there is.")
            for needed in (_VIEW, "files.download") if whole else (_VIEW,):
                await must_see(session, actor, needed, card.server_id)
        return card

    async def list(self, actor: Actor, *, status: str = "", server: str = "", page: int = 0) -> Page[JobCard]:
        """Newest first. `status`: one status, or `live` for everything that has not ended."""
        statuses = _statuses(status)
        async with self._db.read() as session:
            server_id = (await seen(session, actor, server, _VIEW)).id if server else None
            rows = await cards.jobs(
                session,
                actor.org,
                scope=actor.sight(_VIEW),
                server_id=server_id,
                statuses=statuses,
                limit=PAGE + 1,
                offset=page * PAGE,
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str, *, status: str = "") -> list[JobCard]:
        """For autocompletes: the newest jobs whose number, type or server contains the words."""
        if not actor.may(_VIEW):
            return []
        statuses = _statuses(status)
        async with self._db.read() as session:
            rows = await cards.jobs(session, actor.org, scope=actor.sight(_VIEW), statuses=statuses, limit=100)
        wanted = words.casefold().removeprefix("j-")
        return [row for row in rows if wanted in f"{row.number} {row.type} {row.server_name or ''}".casefold()][:25]


def _statuses(status: str) -> list[str] | None:
    """`live`: has not ended; `again`: ended and can be done again; empty: any."""
    groups: dict[str, list[str] | None] = {"": None, "live": [*LIVE], "again": [*(FINAL - {"success"})]}
    return groups.get(status, [status])


async def _unannounced(tx: Tx, warnings: Sequence[UUID], job: LockedJob) -> list[int]:
    """Cancels announcements of what is not done: the last one first, so that none is released by the one before it."""
    numbers: list[int] = []
    for warning_id in reversed(warnings):
        warning = await jobs.lock(tx.session, warning_id)
        if warning and warning.status in ("held", "queued"):
            if warning.status == "held":  # what waits behind the whole run goes on with the first of them
                await jobs.splice(tx.session, warning.id)
            await end(tx, warning, "cancelled", reason=f"J-{job.number} was cancelled", by=tx.actor.user_id)
            numbers.insert(0, warning.number)
    return numbers


def params_of(job_type: str, payload: dict[str, Any]) -> wire.JobParams:
    """A job's stored parameters as the protocol has them.

    Raises:
        ValidationError: written by a newer version.
    """
    return _PARAMS.validate_python({**payload, "type": job_type})
