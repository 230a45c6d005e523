"""Servers that are left alone: held by somebody, or in maintenance for a time. The words for it."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Literal

from bot.domain import until
from bot.domain.durations import rough
from bot.domain.words import safe

_REASON: Final = 200
"""Characters of a reason; more would hide what it is a reason for."""


@dataclass(frozen=True)
class Rest:
    """Why a server is left alone now."""

    kind: Literal["hold", "maintenance"]
    reason: str
    by: str | None
    """Who wanted it so; None where that person is not known any more."""
    since: datetime
    until: datetime | None
    """None: until somebody releases it."""

    def words(self, now: datetime) -> str:
        """`held by ann for 2 hours: new map`, `in maintenance for 40 more minutes: new disk`.

        With what people typed as they typed it: whoever shows it makes it safe."""
        reason = self.reason if len(self.reason) <= _REASON else self.reason[: _REASON - 1].rstrip() + "…"
        return f"{self.head(now)}: {reason}"

    def head(self, now: datetime) -> str:
        """The same without the reason."""
        if self.kind == "hold":
            return f"held by {self.by or 'somebody'} for {rough(now - self.since)}"
        if self.until is None:
            return "in maintenance"
        number, unit = rough(self.until - now).split()
        return f"in maintenance for {number} more {unit}"


def stamp(since: float) -> str:
    """Which of a server's holds is meant, by the seconds at which it began: a button that is pressed late must not end
    the next one."""
    return f"{since:.6f}"


def end_of(text: str, begin: datetime, zone: tzinfo) -> datetime:
    """When something ends that lasts for a duration, or until a time on the clock of a zone.

    Raises:
        ValueError: with a sentence, where it is neither, is nothing, or is over.
    """
    if ":" not in text and set(filter(str.isdigit, text)) == {"0"}:
        raise ValueError(f"{safe(text, 40)} is no time at all.")  # else `0h` would be the next midnight
    return until.parse(text, begin, zone)
