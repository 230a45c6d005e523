"""When a game counts as up."""

import asyncio
import time
from collections.abc import Callable
from glob import glob
from pathlib import Path
from typing import Final

from agent.runtime.logs import Follower
from games.consoles import Console, ConsoleError
from games.resolved import ResolvedTemplate
from games.sections.process import LogReady

CONSOLE_EVERY: Final = 1.0
"""Seconds between attempts: a console that refuses us too often locks us out."""


def log_of(resolved: ResolvedTemplate, output: Path) -> Callable[[], Path | None]:
    """Finds the file that the game logs to now: its own newest one, or what the keeper writes of its output."""
    pattern = resolved.log_glob
    if pattern is None:
        return lambda: output
    return lambda: max((Path(name) for name in glob(pattern)), key=_modified, default=None)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


class Readiness:
    """Follows one start until everything that the template asks for was seen. `check` never waits."""

    def __init__(self, resolved: ResolvedTemplate, console: Console | None, log: Follower) -> None:
        self._console, self._log = console, log
        self._records = [one.log for one in resolved.ready.all if isinstance(one, LogReady)]
        self._wants_console = console is not None and len(self._records) < len(resolved.ready.all)
        self._attempt: asyncio.Task[str] | None = None
        self._next_attempt = 0.0
        self._refusal = ""
        self.timeout = resolved.ready.timeout

    @property
    def missing(self) -> str:
        """What has not been seen yet, for a person."""
        if self._records:
            return "its log does not say so"
        return self._refusal.rstrip(".") or "its console does not answer"

    def check(self) -> bool:
        """Look again; true once everything was seen."""
        for line in self._log.lines() if self._records else ():
            self._records = [pattern for pattern in self._records if not pattern.matches(line)]
        if self._records or (self._wants_console and not self._console_answers()):
            return False
        self.close()
        return True

    def close(self) -> None:
        """Look no longer."""
        self._log.close()
        if self._attempt is not None:
            self._attempt.cancel()

    def _console_answers(self) -> bool:
        if self._attempt is not None and self._attempt.done():
            self._refusal, self._attempt = self._attempt.result(), None
            self._wants_console = bool(self._refusal)
        elif self._attempt is None and self._console is not None and time.monotonic() >= self._next_attempt:
            self._next_attempt = time.monotonic() + CONSOLE_EVERY
            self._attempt = asyncio.create_task(_try(self._console))
        return not self._wants_console


async def _try(console: Console) -> str:
    """Connect; why not, or nothing."""
    try:
        await console.connect()
    except ConsoleError as error:
        return str(error)
    return ""
