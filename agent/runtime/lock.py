"""One power action at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.crash import duration

PATIENCE: Final = 5.0
"""Seconds to wait for the action before: the watch holds the lock for moments only, people's actions for minutes."""


class PowerLock:
    """Held by the action under way. Kill does not take it: it is what frees a stop or a start that hangs."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._holder, self._since = "", 0.0

    @property
    def holder(self) -> str:
        """What is being done, empty for nothing."""
        return self._holder if self._lock.locked() else ""

    @asynccontextmanager
    async def hold(self, action: str) -> AsyncGenerator[None, None]:
        """Take the lock, or raise `TaskFailed` that says who has it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._lock.acquire()
        except TimeoutError:
            since = duration(time.monotonic() - self._since)
            raise TaskFailed(f"Something else is being done with this server: {self._holder}, for {since}.") from None
        self._holder, self._since = action, time.monotonic()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def called(self, action: str) -> Generator[None, None, None]:
        """What its holder does for a while, as part of something larger."""
        before, self._holder = self._holder, action
        try:
            yield
        finally:
            self._holder = before
