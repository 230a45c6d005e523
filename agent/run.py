"""One run, from the offer to its result on disk."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from agent import wire
from agent.errors import Cancelled, TaskFailed
from agent.http import LinkError, Refused
from agent.link import Link
from agent.loops import Backoff
from agent.servers import Servers
from agent.spool import Spool
from agent.tasks import TASKS, Ending

log = logging.getLogger(__name__)

PROGRESS_EVERY: Final = 20.0
TELL_TIMEOUT: Final = 5.0
"""Seconds that a task may be held up by telling the bot what it does."""
CANCEL_TIMEOUT: Final = 10.0
"""Seconds that a task has to end after it was cancelled."""


def now() -> float:
    """Seconds, the time that this machine slept included: a lease passes meanwhile."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Offer:
    """A claimed job and how long the bot keeps it for this host."""

    job: wire.ClaimedJob
    lease: float
    """Seconds; a progress report begins them anew."""
    until: float
    """On the clock of `now`."""

    @classmethod
    def of(cls, job: wire.ClaimedJob, bot_now: datetime) -> "Offer":
        """The lease by the bot's clock, on ours."""
        lease = (job.lease_expires_at - bot_now).total_seconds()
        return cls(job, lease, now() + lease)


class Run:
    """Accepts an offer, does the task once, and leaves its result in the spool."""

    def __init__(
        self,
        offer: Offer,
        link: Link,
        spool: Spool,
        servers: Servers,
        changed: Callable[[], None],
        *,
        resumed: bool = False,
        begun: bool = False,
    ) -> None:
        self.offer = offer
        self.resumed = resumed
        """An earlier agent has taken it; it is gone on with only when the bot still wants it."""
        self.begun = begun
        """That one has done some of it."""
        self.accepted = asyncio.Event()
        """Set as soon as the offer was taken or dropped."""
        self.executing = False
        """It is, or was, done; before that nothing happened."""
        self._link = link
        self._spool = spool
        self._servers = servers
        self._changed = changed
        self._began = time.monotonic()
        self._phase, self._message = wire.Step.STARTED, ""
        self._telling = asyncio.Lock()
        self._work: asyncio.Task[Ending] | None = None
        self._early: Ending | None = None
        self._declined = self._left = self._unwanted = False

    @property
    def id(self) -> UUID:
        """Of the run; a retry of the same job has another."""
        return self.offer.job.run_id

    def __str__(self) -> str:
        return f"J-{self.offer.job.number} ({self.offer.job.params.type}, run {self.id})"

    async def go(self) -> None:
        """The whole way; afterwards the result is in the spool. Raises `Dropped` when the offer is not ours to do."""
        await self._prepare()
        try:
            ending = await self._accept()
        except Dropped:
            if not self.resumed:
                await asyncio.to_thread(self._spool.forget, self.id)
            raise
        finally:
            self.accepted.set()
        ending = ending or await self._begin()
        if self._left and ending is self._early:
            log.info("%s: left to the next agent", self)
            return
        await asyncio.to_thread(self._spool.end, self.id, self._result(ending))
        log.info("%s: %s%s", self, ending.outcome, f": {ending.error}" if ending.error else "")
        self._changed()

    def interrupt(self, ending: Ending) -> None:
        """End the task before it is done; `ending` is what will be reported unless it is done after all."""
        if self._early is None:
            self._early = ending
            if self._work is not None:
                self._work.cancel()

    def leave(self, ending: Ending) -> None:
        """The agent ends: what the next one can go on with has no ending yet."""
        self._left = self._resumable
        self.interrupt(ending)

    def cancel(self) -> None:
        """The bot does not want it any more: at once where that leaves nothing half done, else between two steps."""
        self._unwanted = True
        if self._cancellable and self._work is not None:
            self.interrupt(self._cancelled())

    def decline(self) -> None:
        """The agent ends: do not begin what was not begun yet."""
        self._declined = True

    # ------------------------------------------------------------------------------------------------ the offer

    @property
    def _resumable(self) -> bool:
        return TASKS[type(self.offer.job.params)].resumes

    async def _prepare(self) -> None:
        """Remembered before the bot takes it for begun: an agent may die in between."""
        if not self.resumed:
            with contextlib.suppress(OSError):  # it is tried again, and answered for, when it begins
                await asyncio.to_thread(self._spool.expect, self.offer.job)

    async def _accept(self) -> Ending | None:
        """Tell the bot that it starts. None: it is ours to do. Raises `Dropped` when it is not."""
        backoff = Backoff(0.5, 5.0)
        while (left := self.offer.until - now()) > 0 and not self._declined:
            asked = now()
            try:
                answer = await self._link.progress(self.id, self._progress(), timeout=min(TELL_TIMEOUT, left))
            except Refused as error:
                raise Dropped(f"the bot has taken the offer back: {error}") from None
            except LinkError as error:
                await asyncio.sleep(min(backoff.after(error), max(0.0, self.offer.until - now())))
                continue
            if answer.cancel:
                return Ending("cancelled", error="Cancelled before anything was done.")
            if self._declined:
                return Ending("failed", error="The agent was being stopped; nothing was done.")
            if now() >= asked + self.offer.lease:
                # This process or the machine stood still: the bot may have given the run up meanwhile.
                return Ending("failed", error="The host stood still and its lease passed; nothing was done.")
            return None
        raise Dropped("the bot did not answer in time")

    async def _begin(self) -> Ending:
        self.executing = True
        if self.begun:
            log.info("%s: resumed", self)
            return await self._execute()
        job = self.offer.job
        try:
            await asyncio.to_thread(self._spool.begin, job, resumable=self._resumable)
        except OSError as error:
            return Ending(
                "failed",
                error=f"The host cannot write to its disk ({error.strerror}); nothing was done. Make room and retry.",
            )
        log.info("%s: started", self)
        return await self._execute()

    # --------------------------------------------------------------------------------------------- the execution

    async def _execute(self) -> Ending:
        if self._early is not None:
            return self._early
        work = self._work = asyncio.create_task(self._task())
        ticker = asyncio.create_task(self._tick())
        try:
            await asyncio.wait({work}, timeout=self.offer.job.timeout_sec)
            if not work.done():
                self.interrupt(self._late())
                await asyncio.wait({work}, timeout=CANCEL_TIMEOUT)
        finally:
            ticker.cancel()
        return self._ending(work)

    async def _task(self) -> Ending:
        job, began = self.offer.job, time.monotonic()
        task = TASKS[type(job.params)]
        if job.server_id is None:
            raise TaskFailed("The job names no server.")
        server = await self._servers.find(job.server_id, fresh=task.fresh)
        left = job.timeout_sec - (time.monotonic() - began)
        ending = await task.run(server, job.params, self._report, *([left] if task.timed else []))
        if task.forgets and ending.outcome == "success":
            await self._servers.forget(job.server_id)
        return ending

    def _ending(self, work: asyncio.Task[Ending]) -> Ending:
        if not work.done():
            log.error("%s: the task does not end although it was cancelled", self)
        if not work.done() or work.cancelled():
            return self._early or Ending("unknown", error=f"It was broken off {self._while()}.")
        match work.exception():
            case None:
                return work.result()
            case TaskFailed() as error:
                return Ending("failed", error=str(error))
            case Cancelled():
                return self._cancelled()
            case bug:
                log.error("%s: a bug", self, exc_info=bug)
                return Ending("failed", error=f"The agent ran into an error of its own {self._while()}; see its log.")

    def _while(self) -> str:
        return f"at the step `{self._phase.value.replace('_', ' ')}`"

    def _cancelled(self) -> Ending:
        done = TASKS[type(self.offer.job.params)].left.get(self._phase, "")
        return Ending("cancelled", error=f"Cancelled {self._while()}.{done and ' '}{done}")

    def _late(self) -> Ending:
        error = f"It was not done within {self.offer.job.timeout_sec} s and was broken off {self._while()}."
        if self._phase is wire.Step.SENDING:
            return Ending("unknown", error=f"{error} It may have been done all the same.")
        return Ending("failed", error=error)

    # ---------------------------------------------------------------------------------------------- the reports

    async def _report(self, step: wire.Step, message: str) -> None:
        may_end = self._cancellable
        before, self._phase, self._message = self._phase, step, message
        self._changed()
        unwanted = await self._tell() or self._unwanted
        if unwanted and may_end and not self._cancellable:
            self._phase = before  # nothing of the new step was done
        if unwanted and (may_end or self._cancellable):
            raise Cancelled(f"cancelled {self._while()}")

    async def _tick(self) -> None:
        """Renew the lease while the task is busy with one step."""
        while True:
            await asyncio.sleep(min(PROGRESS_EVERY, self.offer.lease / 4))
            if await self._tell():
                self.cancel()

    @property
    def _cancellable(self) -> bool:
        steps = TASKS[type(self.offer.job.params)].cancellable
        return steps is None or self._phase in steps

    async def _tell(self) -> bool:
        """Say what is being done; True when the bot asks to cancel.

        A bot that does not answer, or has given the run up, changes nothing: half done is worse than done, and the
        result reaches it later.
        """
        async with self._telling:
            try:
                answer = await self._link.progress(self.id, self._progress(), timeout=TELL_TIMEOUT)
            except LinkError as error:
                log.debug("%s: progress was not accepted: %s", self, error)
                return False
            return answer.cancel

    def _progress(self) -> wire.Progress:
        return wire.Progress(claim_token=self.offer.job.claim_token, phase=self._phase, message=self._message[:300])

    def _result(self, ending: Ending) -> wire.Result:
        return wire.Result(
            claim_token=self.offer.job.claim_token,
            outcome=ending.outcome,
            output=tail(ending.output),
            error=ending.error[:1000],
            result=ending.result,
            duration_ms=round((time.monotonic() - self._began) * 1000),
        )


class Dropped(Exception):
    """The offer is not ours to do; nothing was done."""


def tail(text: str) -> str:
    """The end of the text, at most `wire.OUTPUT_MAX` bytes; without NUL, which PostgreSQL cannot store."""
    data = text.replace("\0", "").encode(errors="replace")
    return data[-wire.OUTPUT_MAX :].decode(errors="ignore")
