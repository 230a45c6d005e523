"""Whether a game is in a time at which a stop hurts, for the heartbeat."""

import asyncio
import time
from typing import Final

from agent import wire
from agent.runtime.instance import Running
from games.consoles import Console
from games.consoles.meaning import rows
from games.sections.caution import Caution
from games.sections.people import Listing

ASK_EVERY: Final = 30.0
"""Seconds; a game's day takes an hour or so."""


class CautionReader:
    """Asks a game for its own time now and then, in the background: no heartbeat waits for it."""

    def __init__(self) -> None:
        self._task: asyncio.Task[wire.Caution | None] | None = None
        self._asked: Console | None = None
        self._known: wire.Caution | None = None
        self._next = 0.0

    def read(self, running: Running) -> wire.Caution | None:
        """What is known by now; None: nothing to mind, or not known."""
        caution, console = running.resolved.caution, running.console
        if caution is None or console is None:
            return None
        if self._asked is not console:  # another run of the game
            self.close()
            self._asked, self._known, self._next = console, None, 0.0
        if self._task is not None and self._task.done():
            self._known, self._task = self._task.result(), None
        if self._task is None and time.monotonic() >= self._next:
            self._next = time.monotonic() + ASK_EVERY
            self._task = asyncio.create_task(_ask(console, caution))
        return self._known

    def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


async def _ask(console: Console, caution: Caution) -> wire.Caution | None:
    clock = await _only(console, caution.clock)
    if clock is None:
        return None
    every = await _only(console, caution.every)
    mood = caution.mood(clock, caution.every.usual if every is None else int(every["days"]))
    return wire.Caution(name=caution.name, now=mood == "now") if mood else None


async def _only(console: Console, listing: Listing) -> dict[str, str] | None:
    answer = await console.command(listing.send)
    found, _ = rows(listing, answer.lines)
    plain = len(found) == 1 and all(value.isdecimal() for value in found[0].values())
    return found[0] if answer.outcome == "answered" and plain else None
