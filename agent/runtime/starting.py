"""From a specification to a game that is ready."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.crash import duration
from agent.runtime.instance import Instance, Running
from agent.runtime.ports import wait_free
from agent.runtime.settings import write_config
from agent.wire import Step

Report = Callable[[Step, str], Awaitable[None]]
"""Tells the bot what is being done; raises `Cancelled` when the bot asked for it."""

LOOK_EVERY: Final = 0.1
TELL_EVERY: Final = 10.0
"""Seconds between reports while something takes its time; each is also the chance to cancel."""


class EndedEarly(Exception):
    """The game ended before it was ready."""


async def launch(server: Instance, report: Report, kills: int) -> Running:
    """Write the configuration and start the process. Raises `TaskFailed` with the reason why it does not run.

    `kills`: how often it had been killed when somebody decided to start it.
    """
    await server.forget_run()
    resolved = server.resolve()
    await wait_free(resolved, lambda: report(Step.STARTING, "waiting until its console's port is free again"))
    await server.before_start()
    running = server.begin_run(resolved)
    try:
        write_config(server.created_home(), resolved)
        game = await server.process.start(server.launch(resolved))
    except TaskFailed:
        await server.forget_run()
        raise
    except OSError as error:
        await server.forget_run()
        raise TaskFailed(f"The host cannot write what the game needs: {error.strerror}.") from None
    server.memory.update(game=game, judged=False, ready=False, crashed=False, next_start=None, note="")
    if server.kills != kills:
        await server.process.kill()  # that came while there was no process to be seen yet
    return running


async def until_ready(server: Instance, running: Running, report: Report) -> None:
    """Wait for what the template asks for. Raises `EndedEarly`, or `TaskFailed` when it takes too long."""
    began = told = time.monotonic()
    while not running.readiness.check():
        now = time.monotonic()
        if not server.process.alive:
            raise EndedEarly
        if now - began > running.readiness.timeout:
            waited = duration(now - began)
            raise TaskFailed(f"Not ready after {waited}: {running.readiness.missing}. It was left running.")
        if now - told > TELL_EVERY:
            told = now
            await report(Step.WAITING_READY, f"{duration(now - began)}: {running.readiness.missing}")
        await asyncio.sleep(LOOK_EVERY)
    server.memory.update(ready=True)
