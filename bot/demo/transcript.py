"""The tour as text: who typed what, what the message showed, what the game itself said."""

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from bot.demo.people import NotSeen, Person

WIDTH: Final = 100

_TIME: Final = re.compile(r"<t:(-?\d+)(?::([tTdDfFR]))?>")
_CHANNEL: Final = re.compile(r"<#(\d+)>")
_MEMBER: Final = re.compile(r"<@[!&]?(\d+)>")
_MARKUP: Final = re.compile(r"\*\*|__|^(?:#{1,3}|-#) |(?<!\\)`{1,3}|^> ", re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\([\\*_~`|>#\-.()\[\]])")


class StepFailed(Exception):
    """A step of the tour did not show what it should. Names the step and what was wrong."""

    def __init__(self, title: str, reason: str) -> None:
        super().__init__(f"{title}: {reason}")
        self.title = title
        self.reason = reason


class Transcript:
    """Writes lines to `out` and numbers the steps. `channels` and `members`, roles among them, give names to ids."""

    def __init__(self, out: Callable[[str], object]) -> None:
        self._out = out
        self.channels: Mapping[int, str] = {}
        self.members: Mapping[int, str] = {}
        self.steps = 0

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step of the story. Turns what went wrong in it into `StepFailed`."""
        self.steps += 1
        started = time.monotonic()
        self._out("")
        self._out(f"{self.steps:2}. {title}")
        try:
            yield
        except (NotSeen, AssertionError) as error:
            raise StepFailed(title, str(error) or "an assertion failed") from error
        self._out(f"    {f'{time.monotonic() - started:.1f} s':>{WIDTH - 4}}")

    def says(self, person: Person, words: str) -> None:
        """What somebody typed or pressed."""
        self._out(f"    {person.name} in #{person.channel.name}  ▸ {words}")

    def shows(self, text: str, *, private: bool = False) -> None:
        """What a message of the bot reads like."""
        self._block("Gamekeeper", plain(text, self.channels, self.members), " (only they see it)" if private else "")

    def game(self, name: str, lines: str) -> None:
        """What the game wrote into its own log."""
        self._block(f"{name}'s log", lines)

    def player(self, name: str, words: str) -> None:
        """What somebody does in a game."""
        self._out(f"    {name} in the game  ▸ {words}")

    def shell(self, command: str, output: str) -> None:
        """A command on the game host and what it printed."""
        self._out(f"    host $ {command}")
        for line in output.splitlines():
            self._out(f"        {line}")

    def _block(self, who: str, text: str, note: str = "") -> None:
        self._out(f"    {who}{note}:")
        for line in text.splitlines():
            if line.strip():
                self._out(f"      │ {line}")


def plain(text: str, channels: Mapping[int, str], members: Mapping[int, str], now: datetime | None = None) -> str:
    """Discord's markup as plain text: times in words, channels and members by name, no asterisks."""
    moment = now or datetime.now(UTC)
    text = _TIME.sub(lambda found: _when(int(found[1]), found[2] or "f", moment), text)
    text = _CHANNEL.sub(lambda found: f"#{channels.get(int(found[1]), 'deleted-channel')}", text)
    text = _MEMBER.sub(lambda found: f"@{members.get(int(found[1]), 'somebody')}", text)
    return _ESCAPE.sub(r"\1", _MARKUP.sub("", text))


def _when(seconds: int, style: str, now: datetime) -> str:
    if style != "R":
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    away = round(seconds - now.timestamp())
    size = abs(away)
    words = f"{size} s" if size < 90 else f"{round(size / 60)} min" if size < 5400 else f"{round(size / 3600)} h"
    return "now" if size < 2 else f"in {words}" if away > 0 else f"{words} ago"
