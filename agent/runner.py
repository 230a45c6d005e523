"""Takes offers from the bot and runs them, each at most once in the life of this host."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from agent import __version__, wire
from agent.http import Refused
from agent.link import Claim, Link, StrangeJob
from agent.run import Dropped, Offer, Run, now
from agent.servers import Servers
from agent.spool import Marker, Spool
from agent.tasks import Ending

log = logging.getLogger(__name__)

SLOTS: Final = 16
"""Runs at a time."""
KILLS: Final = 4
"""How many more, if they kill a server: that must work while everything else hangs."""
REPEATED_OFFER_WAIT: Final = 1.0
CANCELS_REFUSED_WAIT: Final = 300.0
RESUMED_MOST: Final = 2
"""How often one run is gone on with: it may be the cause why agents die."""
RESUME_WITHIN: Final = 90.0
"""Seconds, the lease of a run: after that the bot has given it up."""


class Runner:
    """The runs of this process."""

    def __init__(self, link: Link, spool: Spool, servers: Servers, changed: Callable[[], None]) -> None:
        self._link = link
        self._spool = spool
        self._servers = servers
        self._changed = changed
        self._runs: dict[UUID, tuple[Run, asyncio.Task[None]]] = {}
        self._freed = asyncio.Event()
        self._busy = asyncio.Event()
        self._unwanted: list[UUID] = []
        self._waiting: list[Marker] = []

    def recover(self) -> None:
        """Say of every run that an earlier process began and did not end that its outcome is unknown.

        Those that may be gone on with wait for `resume`.
        """
        for marker in self._spool.interrupted():
            log.warning("J-%d (%s) was interrupted by the end of an earlier agent", marker.number, marker.type)
            if marker.resumable is not None and marker.resumed < RESUMED_MOST:
                self._waiting.append(marker)
            else:
                self._spool.end(marker.run_id, _interrupted(marker.claim_token, begun=marker.begun))

    def resume(self) -> None:
        """Go on with runs, once the servers are known again and what was left undone there is cleared up."""
        for marker in self._waiting:
            if marker.resumable is not None:
                self._resume(marker, marker.resumable)
        self._waiting.clear()

    def _resume(self, marker: Marker, job: wire.ClaimedJob) -> None:
        try:
            self._spool.resume(marker)
        except OSError as error:
            log.error("J-%d is not resumed: %s", marker.number, error.strerror)
            self._spool.end(marker.run_id, _interrupted(marker.claim_token, begun=marker.begun))
            return
        offer = Offer(job, RESUME_WITHIN, now() + RESUME_WITHIN)
        self._begin(Run(offer, self._link, self._spool, self._servers, self._changed, resumed=True, begun=marker.begun))

    async def claim(self) -> None:
        """Wait for offers and take them. Raises a `LinkError`."""
        while len(self._runs) >= SLOTS + KILLS:
            self._freed.clear()
            await self._freed.wait()
        await self._resumed()
        if len(self._runs) < SLOTS:
            slots = SLOTS - len(self._runs)
            answer = await self._link.claim(slots)
        else:
            slots = SLOTS + KILLS - len(self._runs)
            answer = await self._kills(slots)
            if answer is None:
                return
        for strange in answer.strange:
            await self._refuse(strange)
        # Offers beyond what was asked for come again.
        taken = [run for job in answer.jobs[:slots] if (run := self._take(job, answer.now)) is not None]
        if answer.offered and not taken:
            await asyncio.sleep(REPEATED_OFFER_WAIT)
        for run in taken:
            # The next claim would be offered the same runs again, with other tokens, until they have started.
            await run.accepted.wait()

    async def _kills(self, slots: int) -> Claim | None:
        """Wait for kills, until something else may be claimed as well (None). An offer that is lost by that comes
        again."""
        self._freed.clear()
        asking = asyncio.create_task(self._link.claim(slots, only_kills=True))
        freed = asyncio.create_task(self._freed.wait())
        try:
            await asyncio.wait({asking, freed}, return_when=asyncio.FIRST_COMPLETED)
            return await asking if asking.done() else None
        finally:
            asking.cancel()
            freed.cancel()

    async def _resumed(self) -> None:
        """Wait until the bot has said of each what it thinks of it: else it offers again what is about to start."""
        for run, _ in list(self._runs.values()):
            if run.resumed:
                await run.accepted.wait()

    async def cancel(self) -> None:
        """Wait for runs that shall be cancelled, while there are any. Raises a `LinkError`.

        Each progress report asks, too; this only makes it quick, so a bot that does not know the call is left in peace.
        """
        while not self._runs:
            self._busy.clear()
            await self._busy.wait()
        try:
            unwanted = await self._link.cancels([run_id for run_id in self._unwanted if run_id in self._runs])
        except Refused as error:
            log.debug("the bot does not say at once what is cancelled: %s", error)
            await asyncio.sleep(CANCELS_REFUSED_WAIT)
            return
        self._unwanted = [run_id for run_id in [*self._unwanted, *unwanted] if run_id in self._runs]
        for run_id in unwanted:
            if run_id in self._runs:
                log.info("%s is to be cancelled", self._runs[run_id][0])
                self._runs[run_id][0].cancel()
        if not self._runs.keys() >= set(unwanted):
            await asyncio.sleep(REPEATED_OFFER_WAIT)  # one has just ended, and the bot does not know it yet

    async def stop(self, grace: float, hurry: asyncio.Event) -> None:
        """End: drop offers; runs get `grace` seconds, or until `hurry`, and are reported as unknown after that."""
        for run, _ in self._runs.values():
            if not run.executing:
                run.decline()
        tasks = {task for _, task in self._runs.values()}
        if tasks:
            log.info("waiting for %d run(s) to end, %.0f s at most", len(tasks), grace)
            impatient = asyncio.create_task(hurry.wait())
            await _all_or(tasks, impatient, grace)
            impatient.cancel()
        for run, _ in self._runs.values():
            run.leave(Ending("unknown", error="The agent was stopped while this ran. Look at the server."))
        if tasks:
            await asyncio.wait(tasks)

    def _take(self, job: wire.ClaimedJob, bot_now: datetime) -> Run | None:
        if job.run_id in self._runs:
            return None
        if self._spool.knows(job.run_id):
            self._answer_again(job)
            return None
        run = Run(Offer.of(job, bot_now), self._link, self._spool, self._servers, self._changed)
        self._begin(run)
        return run

    def _begin(self, run: Run) -> None:
        self._runs[run.id] = run, asyncio.create_task(self._run(run))
        self._busy.set()

    async def _refuse(self, job: StrangeJob) -> None:
        """A run that did not start would be offered again for ever, so it starts and fails."""
        started = wire.Progress(claim_token=job.claim_token, phase=wire.Step.STARTED)
        try:
            await self._link.progress(job.run_id, started)
        except Refused as error:
            log.warning("run %s, which is not understood, was not taken: %s", job.run_id, error)
            return
        error = f"This host's agent ({__version__}) does not know this kind of job. Update it; nothing was done."
        result = wire.Result(claim_token=job.claim_token, outcome="failed", error=error)
        await asyncio.to_thread(self._spool.end, job.run_id, result)
        self._changed()

    def _answer_again(self, job: wire.ClaimedJob) -> None:
        """The bot does not remember that this run was done: tell it again, by the claim that it knows."""
        log.warning("J-%d was offered again after it was run; sending its result again", job.number)
        result = self._spool.result(job.run_id) or _interrupted(job.claim_token)
        self._spool.end(job.run_id, result.model_copy(update={"claim_token": job.claim_token}))
        self._changed()

    async def _run(self, run: Run) -> None:
        try:
            await run.go()
        except Dropped as reason:
            log.warning("%s: not started: %s", run, reason)
            if run.resumed:
                self._spool.end(run.id, _interrupted(run.offer.job.claim_token, begun=run.begun))
                self._changed()
        except Exception:  # the top of a task that nobody awaits
            log.exception("%s: the agent failed", run)
        finally:
            del self._runs[run.id]
            self._freed.set()


def _interrupted(claim_token: UUID, *, begun: bool = True) -> wire.Result:
    if not begun:
        error = "The agent ended before it began this; nothing was done."
        return wire.Result(claim_token=claim_token, outcome="failed", error=error)
    return wire.Result(
        claim_token=claim_token,
        outcome="unknown",
        error="The agent ended while this ran, so what was done is unknown. Look at the server before you do it again.",
    )


async def _all_or(tasks: set[asyncio.Task[None]], impatient: asyncio.Task[bool], timeout: float) -> None:
    """Wait for all of the tasks, or for the other one, or for the time."""
    everything = asyncio.ensure_future(asyncio.wait(tasks))
    await asyncio.wait({everything, impatient}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    everything.cancel()
