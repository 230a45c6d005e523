"""Jobs as their hosts see them: claimed, begun, reported on, finished."""

import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.exc import ProgrammingError

from agent import wire
from bot import clock
from bot.domain.outcomes import status_when_started
from bot.domain.schedules import not_empty
from bot.errors import Conflict, NotFound, Unavailable
from bot.services import outbox, sightings
from bot.services.agents import HostIdentity
from bot.services.jobs import params_of
from bot.services.jobs_finishing import Finishing
from db.engine import Database
from db.queries import job_runs
from db.queries.job_runs import Offer
from db.uow import Tx

log = logging.getLogger(__name__)

CHANNEL: Final = "gk_jobs"
PASSED_ON_FOR: Final = timedelta(seconds=10)
"""A job that this process cannot read is offered by none for so long, so that it does not come back at once."""


class JobQueue:
    """The hosts' side of the queue. A claim is an offer; the first progress report makes it work."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._finishing = Finishing(db)

    async def listen(self, on_notify: Callable[[str], None]) -> None:
        """Calls `on_notify` with the id of each host that got work, with an empty string for all; until cancelled."""
        await self._db.listen(CHANNEL, on_notify)

    async def out_of_order(self) -> str:
        """Why nothing can be claimed now; empty when all is well."""
        try:
            async with self._db.read() as session:
                await job_runs.ready(session, [], clock.now())
        except Unavailable as error:
            return error.what
        except ProgrammingError:
            return "The database is not migrated."
        return ""

    async def ready(self, hosts: Collection[UUID]) -> list[UUID]:
        """Those of the waiting hosts that have work: what makes polling correct without notifications."""
        async with self._db.read() as session:
            return await job_runs.ready(session, hosts, clock.now())

    async def claim(self, host: HostIdentity, slots: int, *, only_kills: bool = False) -> wire.ClaimAnswer | None:
        """Offers up to `slots` jobs to a host; None: there is nothing to do."""
        async with self._db.statement() as session:
            offers = await job_runs.claim(
                session, host_id=host.id, key_id=host.key_id, slots=slots, only_kills=only_kills, now=clock.now()
            )
        claimed = [job for offer in offers if (job := await self._readable(host, offer))]
        return wire.ClaimAnswer(now=offers[0].now, jobs=claimed) if claimed else None

    async def cancels(self, host: HostIdentity, known: Collection[UUID]) -> list[UUID]:
        """Which of a host's runs shall be cancelled, those left out of which it knows."""
        async with self._db.read() as session:
            return await job_runs.unwanted(session, host.id, known)

    async def _readable(self, host: HostIdentity, offer: Offer) -> wire.ClaimedJob | None:
        """The offer in the words of the protocol. One written by another version must not block those behind it: it is
        left to the others while there are any, as that version may run beside this. What was begun while nobody was on,
        with a warning or a backup, must not throw out whoever has come since."""
        if offer.only_empty and (full := not_empty(offer.only_empty["status"], offer.only_empty["players"])):
            left_out = wire.Result(claim_token=offer.claim_token, outcome="cancelled", error=full)
            await self.finish(host, offer.run_id, left_out)
            return None
        try:
            params = params_of(offer.type, offer.payload)
        except ValidationError:
            async with self._db.statement() as session:
                if await job_runs.pass_on(session, offer, clock.now() + PASSED_ON_FOR):
                    return None
            log.exception("J-%d of %s cannot be offered", offer.number, host.name)
            words = "This version cannot read the job. Give the command again."
            await self.finish(
                host, offer.run_id, wire.Result(claim_token=offer.claim_token, outcome="failed", error=words)
            )
            return None
        return wire.ClaimedJob(
            id=offer.job_id,
            run_id=offer.run_id,
            number=offer.number,
            timeout_sec=offer.timeout_sec,
            attempt=offer.attempt,
            claim_token=offer.claim_token,
            lease_expires_at=offer.lease_expires_at,
            server_id=offer.server_id,
            params=params,
        )

    async def progress(self, host: HostIdentity, run_id: UUID, report: wire.Progress) -> wire.ProgressAnswer:
        """Renews the lease and lets the message show the phase.

        Raises:
            NotFound: not a run of this host.
            Conflict: the claim token is stale, the offer has lapsed, or the run is over.
        """
        async with self._db.uow(host.actor) as tx:
            moved = await job_runs.progress(
                tx.session,
                host_id=host.id,
                run_id=run_id,
                token=report.claim_token,
                phase=report.phase.value,
                message=report.message,
                now=clock.now(),
            )
            if moved is None:
                raise await self._refusal(tx, host, run_id)
            for message in moved.messages:
                await outbox.edit(
                    tx.session, org_id=moved.org_id, message=message, event_type="job.progress", payload={}
                )
            if moved.began and moved.server_id and (status := status_when_started(moved.type)):
                await sightings.server_is(tx, moved.org_id, moved.server_id, status, note="")
        return wire.ProgressAnswer(cancel=moved.cancel)

    async def _refusal(self, tx: Tx, host: HostIdentity, run_id: UUID) -> NotFound | Conflict:
        found = await job_runs.find(tx.session, host.id, run_id)
        if found is None:
            return NotFound("This host has no such run.", "Forget it.")
        if found[1] in ("claimed", "running"):
            return Conflict(
                "This claim is stale: the run was offered anew.", "Go on with the newer claim token, if any."
            )
        return Conflict(f"This run is over: {found[1]}.", "Send its result, then forget it.")

    async def finish(self, host: HostIdentity, run_id: UUID, result: wire.Result) -> wire.ResultAnswer:
        """Writes the end of a run: the run, its job, the event, the message and the audit row together. Idempotent.

        Raises:
            NotFound: not a run of this host.
            Conflict: the claim token is stale.
        """
        return wire.ResultAnswer(accepted=await self._finishing.finish(host, run_id, result))
