"""What runs in a process: its web site, and what goes on until it ends."""

import asyncio
import logging
from collections.abc import Collection, Coroutine
from typing import Any, Final

from aiohttp import web

from bot.errors import AppError

log = logging.getLogger(__name__)

_TURN: Final = 0.1
"""Seconds in which what listens for its end has ended by itself."""


class Site:
    """Serves a web application on one address."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._wanted = host, port
        self._runner: web.AppRunner | None = None
        self.port = 0
        """What it is served on; 0 before."""

    async def start(self, application: web.Application) -> None:
        """Returns when it is served.

        Raises:
            AppError: the port cannot be used.
        """
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._wanted).start()
        except OSError as error:
            await self.stop()
            raise AppError(
                f"Port {self._wanted} on {self._host} cannot be used: {error.strerror}.",
                "End what uses it, or set GAMEKEEPER_BIND to another port.",
            ) from error
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None


class Background:
    """Tasks that run until the process ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s ended", task.get_name(), exc_info=error)

    async def end(self, patient: Collection[str], seconds: float) -> None:
        """Ends all of them; those named `patient` may take some seconds to end by themselves."""
        tasks = set(self._tasks)
        if not tasks:
            return
        done, late = await asyncio.wait(tasks, timeout=_TURN)
        if sending := {task for task in late if task.get_name() in patient}:
            await asyncio.wait(sending, timeout=seconds)
        for task in tasks - done:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
