"""Durations as people type them: `90s`, `15m`, `24h`, `7d`, `2w`, `1d 12h`."""

import re
from datetime import timedelta
from typing import Final

_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PART: Final = re.compile(r"(\d{1,5})\s*(s|m|h|d|w)[a-z]*\s*")


def parse(text: str) -> timedelta:
    """Reads a duration.

    Raises:
        ValueError: with a sentence, where it is none.
    """
    rest, total = text.strip().lower(), timedelta()
    while rest:
        match = _PART.match(rest)
        if not match:
            raise ValueError(f"`{text[:40]}` is not a duration.")
        total += int(match[1]) * _UNITS[match[2]]
        rest = rest[match.end() :]
    if not total or total > timedelta(days=3660):
        raise ValueError(f"`{text[:40]}` is not a usable duration.")
    return total
