"""Where the bot can be reached: several addresses of one bot, of which one is used as long as it answers."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Final, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Moved(Exception):
    """Another call has found out meanwhile that nobody answers there."""


class Addresses:
    """All of them lead to the same bot and database, so the host's key and its runs hold everywhere."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls: Final = tuple(urls)
        self._at = 0
        self._moved = asyncio.Event()

    @property
    def current(self) -> str:
        """The one that is used now."""
        return self.urls[self._at]

    def failed(self, url: str) -> None:
        """Nobody, or nobody who is well, answers there: the next one is used, in a circle."""
        if url != self.current or len(self.urls) == 1:
            return  # another call has moved on already
        self._at = (self._at + 1) % len(self.urls)
        log.warning("%s does not answer; going on with %s", url, self.current)
        self._moved.set()
        self._moved = asyncio.Event()

    async def unless_moved(self, answer: Awaitable[T]) -> T:
        """Waits for an answer of the address in use; a poll that is held open there for long is not waited for once
        another call has had none. Raises `Moved`."""
        if len(self.urls) == 1:
            return await answer
        moved, asked = asyncio.ensure_future(self._moved.wait()), asyncio.ensure_future(answer)
        try:
            await asyncio.wait({moved, asked}, return_when=asyncio.FIRST_COMPLETED)
            if asked.done():
                return asked.result()
            raise Moved
        finally:
            moved.cancel()
            asked.cancel()
            await asyncio.wait({moved, asked})
