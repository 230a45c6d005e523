"""Durations as people type them (`90s`, `24h`, `1d 12h`, `2 months`) and as they are told."""

import re
from datetime import timedelta
from typing import Final

from bot.domain.words import count

_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
    **dict.fromkeys(("mo", "month", "months"), timedelta(days=30)),
    **dict.fromkeys(("y", "year", "years"), timedelta(days=365)),
}
_LONGEST: Final = timedelta(days=3660)
_PART: Final = re.compile(r"(\d{1,5})\s*([a-z]+)\s*")


def parse(text: str) -> timedelta:
    """Reads a duration. A month has 30 days, a year 365.

    Raises:
        ValueError: with a sentence, where it is none.
    """
    rest, total = text.strip().lower(), timedelta()
    while rest and total <= _LONGEST:  # a longer sum may be more than a timedelta can hold
        match = _PART.match(rest)
        if match is None or match[2] not in _UNITS:
            raise ValueError(f"`{text[:40]}` is not a duration.")
        total += int(match[1]) * _UNITS[match[2]]
        rest = rest[match.end() :]
    if not total or total > _LONGEST:
        raise ValueError(f"`{text[:40]}` is not a usable duration.")
    return total


def compact(duration: timedelta) -> str:
    """`2 h`, `1 h 30 min`, `45 s`: as short as it can be typed."""
    units = zip(_parts(duration), ("d", "h", "min", "s"), strict=True)
    return " ".join(f"{n} {unit}" for n, unit in units if n) or "0 s"


def spoken(duration: timedelta) -> str:
    """`15 minutes`, `1 hour 30 minutes`: as players and answers are told."""
    units = zip(_parts(duration), ("day", "hour", "minute", "second"), strict=True)
    return " ".join(count(n, unit) for n, unit in units if n) or "0 seconds"


def _parts(duration: timedelta) -> tuple[int, int, int, int]:
    """Days, hours, minutes and seconds."""
    seconds = round(duration.total_seconds())
    return seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60


def rough(duration: timedelta) -> str:
    """`40 seconds`, `3 minutes`, `5 hours`, `12 days`: long enough ago that the rest does not matter."""
    seconds = max(0.0, duration.total_seconds())
    for unit, length, least in (("day", 86400, 2), ("hour", 3600, 2), ("minute", 60, 2), ("second", 1, 0)):
        number = int(seconds // length)
        if number >= least:
            return count(number, unit)
    raise AssertionError("zero seconds are the last of them")
