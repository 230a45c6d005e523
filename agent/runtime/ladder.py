"""Ending a game by its template's ladder: each rung is taken when the one before did not end the process."""

import asyncio
import signal
import time
from collections.abc import Sequence
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.crash import duration
from agent.runtime.instance import Instance
from agent.runtime.keeper import Identity
from agent.runtime.signals import gone, send
from agent.runtime.starting import TELL_EVERY, Report
from agent.wire import Step
from games.consoles import Answer
from games.sections.process import ActionRung, SignalRung

ANSWER_WAIT: Final = 10.0
"""Seconds that a console has to answer before the wait for the process's end begins."""
LEFTOVERS_WAIT: Final = 3.0
"""Seconds that processes below the game have to follow it."""


async def climb(server: Instance, report: Report) -> str:
    """End the game; returns in a few words how that went. Raises `TaskFailed` when nothing ends it."""
    members = server.process.members()
    running = server.run()
    rungs = running.resolved.stop if running else (SignalRung(signal="TERM"), SignalRung(signal="KILL"))
    story: list[str] = []
    for rung in rungs:
        story.extend(await _take(server, rung, report))
        if not server.process.alive:
            break
    else:
        raise TaskFailed(f"It does not end ({', '.join(story)}).")
    await server.process.ended()
    await server.forget_run()
    await _end_leftovers(members)
    return ", ".join(story)


async def _take(server: Instance, rung: ActionRung | SignalRung, report: Report) -> list[str]:
    if isinstance(rung, SignalRung):
        await report(Step.STOPPING, f"SIG{rung.signal}")
        server.process.signal(signal.Signals[f"SIG{rung.signal}"])
        ended = await _gone(server, rung.wait_exit, report)
        return [f"ended by SIG{rung.signal}" if ended else f"SIG{rung.signal} had no effect"]
    await report(Step.SAVING if rung.action == "save" else Step.STOPPING, "")
    answer = await _ask(server, rung.action, rung.wait or ANSWER_WAIT)
    if answer.outcome == "refused" or rung.wait_exit is None:
        return [_words(rung.action, answer)]
    if await _gone(server, rung.wait_exit, report):
        return [f"ended by `{rung.action}`"]
    return [f"`{rung.action}` had no effect within {duration(rung.wait_exit)}"]


def _words(action: str, answer: Answer) -> str:
    if answer.outcome == "answered":
        return "saved" if action == "save" else f"`{action}` done"
    return f"`{action}` failed: {answer.reason.rstrip('.')}"


async def _ask(server: Instance, action: str, timeout: float) -> Answer:
    """Ask the console, but no longer than the process lives: somebody may kill it meanwhile."""
    running = server.run()
    if running is None or running.console is None:
        return Answer("refused", reason="there is no console to ask")
    asking = asyncio.create_task(running.console.action(action, {}, timeout=timeout))
    ending = asyncio.create_task(server.process.gone(timeout))
    try:
        await asyncio.wait({asking, ending}, return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else Answer("unknown", reason="the game ended")
    finally:
        asking.cancel()
        ending.cancel()
        await asyncio.gather(asking, ending, return_exceptions=True)


async def _gone(server: Instance, timeout: float, report: Report) -> bool:
    deadline = time.monotonic() + timeout
    while not await server.process.gone(min(TELL_EVERY, max(0.0, deadline - time.monotonic()))):
        if time.monotonic() >= deadline:
            return False
        await report(Step.STOPPING, f"{duration(deadline - time.monotonic())} left to end by itself")
    return True


async def _end_leftovers(members: Sequence[Identity]) -> None:
    """A start script's child that outlives it would keep the ports of the next start."""
    deadline = time.monotonic() + LEFTOVERS_WAIT
    for member in members:
        if not await gone(member, max(0.0, deadline - time.monotonic())):
            send(member, signal.SIGKILL)
