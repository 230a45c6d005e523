"""Waiting hosts: one listener and one look into the queue per second serve every long poll of the process."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from bot import clock
from bot.errors import AppError
from bot.http.errors import TooMany
from bot.services.jobs_queue import JobQueue

log = logging.getLogger(__name__)

FALLBACK_SECONDS: Final = 1.0
"""How late work is found when no notification comes."""
POLLS_PER_HOST: Final = 64


class Polls:
    """Wakes long polls by host id. Notifications only shorten the wait; polling alone is correct."""

    def __init__(self, queue: JobQueue, *, fallback_seconds: float = FALLBACK_SECONDS) -> None:
        self._queue = queue
        self._fallback_seconds = fallback_seconds
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._someone = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.closing = False

    def start(self) -> None:
        self.closing = False
        self._tasks = [
            asyncio.create_task(self._queue.listen(self.wake), name="jobs: listen"),
            asyncio.create_task(self._fall_back(), name="jobs: fallback"),
        ]

    async def stop(self) -> None:
        """Ends every poll at once, with an empty answer."""
        self.closing = True
        self.wake("")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @contextmanager
    def waiting(self, host_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set when the host may have work.

        Raises:
            TooMany: the host has more polls open than any agent needs.
        """
        event = asyncio.Event()
        if len(self._waiting.get(host_id, ())) >= POLLS_PER_HOST:
            raise TooMany(1)
        self._waiting.setdefault(host_id, set()).add(event)
        self._someone.set()
        try:
            yield event
        finally:
            self._waiting[host_id].discard(event)
            if not self._waiting[host_id]:
                del self._waiting[host_id]

    def wake(self, payload: str) -> None:
        """Wakes the polls of one host, or of all with an empty payload."""
        try:
            hosts = [UUID(payload)] if payload else list(self._waiting)
        except ValueError:
            hosts = list(self._waiting)
        for host in hosts:
            for event in self._waiting.get(host, ()):
                event.set()

    async def _fall_back(self) -> None:
        while True:
            if not self._waiting:
                self._someone.clear()
                await clock.idle(self._someone.wait(), "no agent is polling")
            await clock.idle(asyncio.sleep(self._fallback_seconds), "agents poll")
            try:
                for host in await self._queue.ready(list(self._waiting)):
                    self.wake(str(host))
            except AppError as error:
                log.warning("cannot look for work: %s", error.what)
            except Exception:  # the top of the loop that every waiting agent depends on
                log.exception("cannot look for work")
