"""Power actions: one at a time, except that kill passes."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager

from agent.errors import Cancelled, TaskFailed
from agent.runtime.crash import Backoff, duration
from agent.runtime.instance import Instance
from agent.runtime.ladder import climb
from agent.runtime.starting import EndedEarly, Report, launch, until_ready
from agent.runtime.watching import judge_end
from agent.wire import Step


class Power:
    """Start, stop, restart and kill of one server."""

    def __init__(self, server: Instance, backoff: Backoff) -> None:
        self._server, self._backoff = server, backoff

    async def start(self, report: Report) -> str:
        """Start it and wait until it is ready."""
        server = self._server
        async with server.lock.hold("starting"):
            if server.process.alive:
                raise TaskFailed(f"`{server.spec.slug}` runs already.")
            with self._doing("starting", "running"):
                return await self._start(report, server.kills)

    async def stop(self, report: Report) -> str:
        """Save and stop; says so when there is nothing to stop."""
        server = self._server
        async with server.lock.hold("stopping"):
            if not server.process.alive:
                return self._not_running()
            with self._doing("stopping", "stopped"):
                how = await climb(server, report)
            server.settle("")
            return f"Stopped: {how}."

    async def restart(self, report: Report) -> str:
        """Save, stop, start, wait until it is ready. What does not run is only started."""
        async with self._server.lock.hold("restarting"):
            return await self.restart_held(report)

    async def restart_held(self, report: Report) -> str:
        """The same as part of something larger, which holds the lock."""
        server = self._server
        with self._doing("restarting", "running"):
            kills = server.kills
            if server.process.alive:
                await climb(server, report)
            if server.kills != kills:
                raise TaskFailed("It was killed during the restart, so it was not started again.")
            server.memory.update(ready=False)
            return await self._start(report, kills)

    async def kill(self) -> str:
        """End it now, with everything below it. It frees a stop or a start that hangs."""
        server = self._server
        server.kills += 1
        if not server.process.alive:
            return self._not_running()
        server.memory.update(wanted="stopped", next_start=None)
        await server.process.kill()
        await server.forget_run()
        server.settle("killed")
        return "Killed."

    async def _start(self, report: Report, kills: int) -> str:
        server = self._server
        await report(Step.STARTING, "")
        server.memory.update(crashes=0, streak=0, next_start=None, note="")
        began = time.monotonic()
        try:
            running = await launch(server, report, kills)
        except TaskFailed as error:
            server.settle(str(error))
            raise
        try:
            await report(Step.WAITING_READY, "")
            await until_ready(server, running, report)
        except EndedEarly:
            raise TaskFailed(await self._why_it_ended(kills)) from None
        return f"Ready after {duration(time.monotonic() - began)}."

    async def _why_it_ended(self, kills: int) -> str:
        server = self._server
        if server.kills != kills:
            return "It was killed while it was starting."
        last = server.last_words()
        note = await judge_end(server, self._backoff)
        return f"It ended while it was starting: {note}.{last}"

    def _not_running(self) -> str:
        pending = self._server.memory.facts.next_start is not None
        self._server.settle("")
        return "It was not running; it is not started again now." if pending else "It was not running."

    @contextmanager
    def _doing(self, action: str, wanted: str) -> Generator[None, None, None]:
        """Remember what is under way and what it is for: an agent that starts anew finds both."""
        memory = self._server.memory
        before = memory.facts.wanted
        memory.update(doing=action, wanted=wanted)
        try:
            yield
        except (Cancelled, asyncio.CancelledError):
            # `doing` stays: whoever looks next, this agent or one that starts anew, clears up (`watching.recover`).
            if self._server.process.alive == (before == "running"):
                memory.update(wanted=before)
            raise
        except BaseException:
            memory.update(doing="")
            raise
        memory.update(doing="")
