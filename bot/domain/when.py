"""`when` of a command: now, or in N minutes."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(days=1)
_IN: Final = re.compile(r"(?:in\s+)?(\d{1,4})\s*(m|min|mins|minute|minutes|h|hour|hours)", re.IGNORECASE)
_NOW: Final = frozenset({"", "now", "at once"})


@dataclass(frozen=True)
class When:
    """A parsed `when`; `delay` is zero for now."""

    delay: timedelta

    @property
    def is_now(self) -> bool:
        return not self.delay

    @property
    def words(self) -> str:
        """What was understood, to be echoed before acting."""
        minutes = int(self.delay.total_seconds() // 60)
        return "now" if self.is_now else f"in {minutes} {'minute' if minutes == 1 else 'minutes'}"

    def moment(self, now: datetime) -> datetime:
        return now + self.delay


def parse(text: str) -> When:
    """Reads `now`, `in 15 minutes`, `15m`, `2 h`.

    Raises:
        ValueError: with a sentence that says what is understood.
    """
    words = text.strip().lower()
    if words in _NOW:
        return When(timedelta())
    match = _IN.fullmatch(words)
    if not match:
        raise ValueError("`when` takes `now` or `in N minutes`, such as `in 15 minutes`.")
    amount = int(match[1])
    delay = timedelta(hours=amount) if match[2].startswith("h") else timedelta(minutes=amount)
    if delay > LONGEST:
        raise ValueError("`when` reaches one day ahead at most.")
    return When(delay)
