"""How long a ban lasts, as people type it: `7d`, `2w`, `1 month`, `until friday 18:00`, `permanent`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from bot.domain import durations, until, zones

LONGEST: Final = timedelta(days=3660)
TAKES: Final = "It takes such as `7d`, `1d 12h`, `1 month`, `until friday 18:00`, `until 2030-01-31` or `permanent`."
_FOR_GOOD: Final = frozenset({"", "permanent", "permanently", "perma", "perm", "for good", "forever", "never"})
_LEAST: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Term:
    """What was understood. Neither is set: for good."""

    span: timedelta | None = None
    moment: datetime | None = None

    @property
    def for_good(self) -> bool:
        return self.span is None and self.moment is None

    def until(self, begin: datetime) -> datetime | None:
        """When a ban ends that begins then; None: never."""
        return self.moment if self.span is None else begin + self.span

    def stored(self) -> dict[str, str | float]:
        """As a confirmation keeps it until the button is pressed."""
        if self.span is not None:
            return {"seconds": self.span.total_seconds()}
        return {"until": self.moment.isoformat()} if self.moment else {}


def restored(stored: dict[str, str | float]) -> Term:
    """What `Term.stored` has put away."""
    if "seconds" in stored:
        return Term(span=timedelta(seconds=float(stored["seconds"])))
    return Term(moment=datetime.fromisoformat(str(stored["until"]))) if "until" in stored else Term()


def parse(text: str, now: datetime, zone: str) -> Term:
    """Reads a duration; clock times are those of `zone`.

    Raises:
        ValueError: with a sentence.
    """
    words = " ".join(text.lower().split())
    if words in _FOR_GOOD:
        return Term()
    if words.startswith("until "):
        return Term(moment=until.parse(words, now, _zone(zone), LONGEST))
    span = durations.parse(words.removeprefix("for "))
    if span < _LEAST:
        raise ValueError("A ban lasts a minute at least.")
    return Term(span=span)


def _zone(name: str) -> tzinfo:
    try:
        return zones.zone(name)
    except ValueError:
        return UTC
