"""Hours of the day inside which a schedule may run, by the clock on its wall: `02:00-06:00`, over midnight too."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Final

from bot.domain.cron_words import time_of_day
from bot.domain.words import safe

NONE: Final = frozenset({"none", "no", "off", "any", "always", "-"})
_MIDNIGHT: Final = frozenset({"24", "24:00"})
_FORMS: Final = re.compile(r"(?:between |from )?(?P<begin>.+?)\s*(?:-|–|\bto\b|\buntil\b|\band\b)\s*(?P<end>.+)")


@dataclass(frozen=True)
class Window:
    """From `begin` until just before `end`; over midnight where that is earlier."""

    begin: time
    end: time

    def holds(self, moment: time) -> bool:
        """Whether it is open when the clock shows this."""
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end

    @property
    def words(self) -> str:
        """`02:00-06:00`."""
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"


def window(begin: time | None, end: time | None) -> Window | None:
    """A window as it is kept: with both ends, or none at all."""
    return None if begin is None or end is None else Window(begin, end)


def parse(text: str) -> Window | None:
    """Reads `02:00-06:00`, `22 to 4`, `10pm-6am`; None where it is empty or `none`.

    Raises:
        ValueError: with a sentence, where it is no window or has no length.
    """
    words = " ".join(text.lower().split())
    if not words or words in NONE:
        return None
    match = _FORMS.fullmatch(words)
    begin, end = (_time(match["begin"]), _time(match["end"])) if match else (None, None)
    if begin is None or end is None:
        raise ValueError(f"{safe(text, 40)} is no window; it takes such as `02:00-06:00` or `22:00-04:00`.")
    if match and match["end"].strip() in _MIDNIGHT and begin == time() and match["begin"].strip() not in _MIDNIGHT:
        return None  # the whole day
    if begin == end:
        raise ValueError(f"A window from {begin:%H:%M} to {end:%H:%M} has no length, so nothing would ever run in it.")
    return Window(begin, end)


def _time(words: str) -> time | None:
    found = (0, 0) if words.strip() in _MIDNIGHT else time_of_day(words.replace(" ", ""))
    return time(*found) if found else None
