"""Jobs as people use them: give one to a host, follow it, cancel it, do it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from agent import wire
from bot import clock
from bot.domain.actors import Actor
from bot.domain.jobs import FINAL, JOBS, LIVE, JobType
from bot.errors import Conflict, NotFound
from bot.services.jobs_ending import edit_messages, end
from bot.services.servers import PAGE, Page, resolve
from db.engine import Database
from db.queries import cards, jobs
from db.queries.cards import JobCard
from db.queries.jobs import LockedJob
from db.uow import Tx

_PARAMS: Final[TypeAdapter[wire.JobParams]] = TypeAdapter(wire.JobParams)


@dataclass(frozen=True)
class Enqueued:
    """A job that waits for its host now."""

    id: UUID
    number: int
    channel_id: int | None

    @property
    def where(self) -> str:
        """What a reply says: `J-340 · #ops`, where the progress can be followed."""
        return f"`J-{self.number}`" + (f" · <#{self.channel_id}>" if self.channel_id else "")


class Jobs:
    """What people do with jobs. Their hosts' side is `JobQueue`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def enqueue(
        self,
        tx: Tx,
        *,
        type: JobType,
        host_id: UUID,
        params: wire.Params,
        server_id: UUID | None = None,
        not_before: datetime | None = None,
        channel_id: int | None = None,
        dedupe_key: str | None = None,
        after: UUID | None = None,
        after_any: bool = False,
        source: str = "command",
    ) -> Enqueued:
        """Writes a job, its progress message and its wake-up in the transaction of the caller, who has checked the
        permission and names it in the audit row. The message goes to `channel_id`, else to the ops channel, else to
        where the command was typed. `after` holds it until that job has ended; `after_any`: however it ended.

        Raises:
            Conflict: another live job has the dedupe key.
        """
        spec, begin = JOBS[type], not_before or clock.now()
        values: dict[str, Any] = {
            "org": tx.actor.org,
            "server": server_id,
            "host": host_id,
            "type": type.value,
            "payload": params.dump(),
            "exclusive": spec.exclusive,
            "source": source,
            "after": after,
            "after_any": after_any,
            "dedupe": dedupe_key,
            "attempts": spec.max_attempts,
            "timeout": int(spec.timeout.total_seconds()),
            "not_before": begin,
            "expires": None if spec.waits is None else begin + spec.waits,
            "author": tx.actor.user_id,
            "channel": channel_id,
            "typed_in": tx.actor.channel_id,
            "now": clock.now(),
        }
        written = await jobs.enqueue(tx.session, values)
        if written is None:
            other = await jobs.deduped(tx.session, tx.actor.org, dedupe_key or "")
            raise Conflict(
                f"J-{other} is waiting or under way already.", "Wait for it, or cancel it with `/job cancel` first."
            )
        return Enqueued(written.id, written.number, written.channel_id)

    async def cancel(self, actor: Actor, number: int) -> LockedJob:
        """`/job cancel`: at once when its host has not begun it, else the host is asked to stop it.

        Raises:
            NotFound, NotPermitted, Conflict: no such job, not allowed, or it has ended.
        """
        async with self._db.uow(actor) as tx:
            job = await self.cancel_in(tx, number, permission="jobs.cancel")
            tx.audit("job.cancel", resource=("job", job.id), number=number, type=job.type, was=job.status)
        return job

    async def cancel_in(self, tx: Tx, number: int, *, permission: str = "") -> LockedJob:
        """Cancels within a unit of work of the caller, who names it in the audit row. Returns the job as it was."""
        job = await self._locked(tx, number, permission)
        if job.status in FINAL:
            raise Conflict(f"J-{number} has ended already: {job.status}.", "`/job show` says how.")
        run_id = await jobs.drop_offer(tx.session, job.id, clock.now()) if job.status == "running" else None
        if job.status == "running" and run_id is None:
            await jobs.request_cancel(tx.session, job.id, tx.actor.user_id, clock.now())
            await edit_messages(tx, job, "job.cancelling")
        else:
            await end(tx, job, "cancelled", reason=f"cancelled by {tx.actor.name}", run_id=run_id, by=tx.actor.user_id)
        return job

    async def retry(self, actor: Actor, number: int) -> Enqueued:
        """`/job retry`: a new job with the same parameters, for one that did not succeed.

        Raises:
            NotFound, NotPermitted, Conflict: no such job, not allowed, or there is nothing to retry.
        """
        async with self._db.uow(actor) as tx:
            old = await self._locked(tx, number, "jobs.cancel")
            if old.status in LIVE or old.status == "success":
                raise Conflict(
                    f"J-{number} is {old.status}: there is nothing to retry.", "Give the command again instead."
                )
            gone = old.server_gone and old.type != JobType.SERVER_REMOVE  # that one's server is always gone
            if old.host_id is None or old.host_gone or gone:
                raise Conflict(f"The server or host of J-{number} was removed.", "Give the command for another one.")
            places = await jobs.messages(tx.session, old.org_id, old.id)
            job_type = JobType(old.type)
            job = await self.enqueue(
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
        if job is None:
            raise NotFound(f"There is no job J-{number} here.", "`/job list` shows what there is.")
        for needed in filter(None, (permission, JOBS[JobType(job.type)].permission)):
            await tx.require(needed, server_id=job.server_id)
        return job

    async def show(self, actor: Actor, number: int) -> JobCard:
        async with self._db.read() as session:
            card = await cards.job(session, actor.org, number=number)
        if card is None:
            raise NotFound(f"There is no job J-{number} here.", "`/job list` shows what there is.")
        return card

    async def list(self, actor: Actor, *, status: str = "", server: str = "", page: int = 0) -> Page[JobCard]:
        """Newest first. `status`: one status, or `live` for everything that has not ended."""
        statuses = _statuses(status)
        async with self._db.read() as session:
            server_id = (await resolve(session, actor.org, server)).id if server else None
            rows = await cards.jobs(
                session, actor.org, server_id=server_id, statuses=statuses, limit=PAGE + 1, offset=page * PAGE
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str, *, status: str = "") -> list[JobCard]:
        """For autocompletes: the newest jobs whose number, type or server contains the words."""
        if not actor.may("jobs.view"):
            return []
        statuses = _statuses(status)
        async with self._db.read() as session:
            rows = await cards.jobs(session, actor.org, statuses=statuses, limit=100)
        wanted = words.casefold().removeprefix("j-")
        return [row for row in rows if wanted in f"{row.number} {row.type} {row.server_name or ''}".casefold()][:25]


def _statuses(status: str) -> list[str] | None:
    """`live`: has not ended; `again`: ended and can be done again; empty: any."""
    groups: dict[str, list[str] | None] = {"": None, "live": [*LIVE], "again": [*(FINAL - {"success"})]}
    return groups.get(status, [status])


def params_of(job_type: str, payload: dict[str, Any]) -> wire.JobParams:
    """A job's stored parameters as the protocol has them.

    Raises:
        ValidationError: written by a newer version.
    """
    return _PARAMS.validate_python({**payload, "type": job_type})
