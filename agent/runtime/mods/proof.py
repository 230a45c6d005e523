"""What a running game says of a mod: the proof that it took it, or the words with which it did not."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agent.runtime.instance import Instance, Running
from agent.runtime.logs import Follower
from agent.runtime.readiness import log_of
from games.consoles.meaning import rows
from games.lines import cleaned
from games.sections.log import LogEvent
from games.sections.mods import LogSign, Mods
from games.sections.people import Listing

LOOK_EVERY: Final = 0.1
STEADY: Final = 1.0
"""Seconds that a game has to live on with a mod: some say that they have loaded it, and fall over it then."""
LINE_MAX: Final = 300


@dataclass(frozen=True)
class Proof:
    """The game's own lines, or a sentence that says what is missing."""

    lines: tuple[str, ...] = ()
    failure: str = ""
    refused: bool = False
    """The game itself said no, and goes on with what it had."""


def log_from_now(server: Instance, running: Running) -> Follower:
    """What the running game logs from here on."""
    return Follower.from_end(log_of(running.resolved, server.process.log))


def log_of_start(server: Instance, running: Running) -> Follower:
    """What it has logged since its start."""
    inode, offset = server.process.log_from if running.resolved.log_glob is None else (0, 0)
    return Follower(log_of(running.resolved, server.process.log), inode=inode, offset=offset)


async def prove(server: Instance, running: Running, mods: Mods, names: frozenset[str], log: Follower) -> Proof:
    """Look until the game has shown the mod in every way that it has, or until its time is over.

    `names`: whatever the game may call it by, its folder and the name in its manifest.
    """
    try:
        return await _prove(server, running, mods, names, log)
    finally:
        log.close()


async def _prove(server: Instance, running: Running, mods: Mods, names: frozenset[str], log: Follower) -> Proof:
    reading = _Reading(running, mods, names, log)
    deadline = time.monotonic() + mods.timeout
    while not reading.complete:
        if time.monotonic() > deadline:
            return Proof(failure="The game does not say in its log that it has loaded it.")
        await asyncio.sleep(LOOK_EVERY)
        reading.read()
        if not server.process.alive:
            return await _ended(server)
    if reading.refusal:
        return Proof(failure=f"The game did not take it: {reading.refusal}", refused=True)
    listed = [await _listed(running, listing, names) for listing in mods.listings]
    if await server.process.gone(STEADY):
        return await _ended(server)
    reading.read()
    if reading.refusal:
        return Proof(failure=f"The game did not take it: {reading.refusal}", refused=True)
    failures = [one.failure for one in listed if one.failure]
    if failures:
        return Proof(failure=failures[0])
    return Proof((*reading.found, *(line for one in listed for line in one.lines)))


class _Reading:
    """What the log has told so far."""

    def __init__(self, running: Running, mods: Mods, names: frozenset[str], log: Follower) -> None:
        self._resolved, self._names, self._log = running.resolved, names, log
        self._failed = {sign.event for sign in mods.failed}
        self._loaded = {sign.event for sign in mods.loaded if isinstance(sign, LogSign)}
        self.found: tuple[str, ...] = ()
        self.refusal = ""

    @property
    def complete(self) -> bool:
        """Nothing more needs to be read before the next question."""
        return bool(self.refusal or self.found or not self._loaded)

    def read(self) -> None:
        """Take what was written since the last time."""
        while lines := self._log.lines():
            for line, event in self._events(lines):
                if event.kind in self._failed:
                    self.refusal = self.refusal or line
                elif event.kind in self._loaded:
                    self.found = (line,)

    def _events(self, lines: list[str]) -> Iterator[tuple[str, LogEvent]]:
        for line in lines:
            event = self._resolved.log.event(line)
            if event is not None and self._names & _mods_of(event):
                yield cleaned(self._resolved.redact(line), LINE_MAX), event


def _mods_of(event: LogEvent) -> set[str]:
    return {value for group, value in event.values.items() if group == "mod" or group.startswith("mod_")}


async def _listed(running: Running, listing: Listing, names: frozenset[str]) -> Proof:
    assert running.console is not None  # a template with a list has a console
    answer = await running.console.command(listing.send)
    if answer.outcome != "answered":
        return Proof(failure=f"Its list of mods could not be read: {answer.reason}")
    found = [line for line in answer.lines if (row := listing.each.groups(line)) and row["mod"] in names]
    if found:
        return Proof(tuple(cleaned(line, LINE_MAX) for line in found))
    complete = rows(listing, answer.lines)[1]
    return Proof(
        failure=f"It is not in the list that `{listing.send}` gives{'' if complete else ', as far as that goes'}."
    )


async def _ended(server: Instance) -> Proof:
    how = await server.process.ended()
    return Proof(failure=f"The game {how} over it.{server.last_words()}")
