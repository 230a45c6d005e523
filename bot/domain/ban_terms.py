"""How long a ban lasts, as people type it: `7d`, `2w`, `1 month`, `until friday 18:00`, `permanent`."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST: Final = timedelta(days=3660)
_FOR_GOOD: Final = frozenset({"", "permanent", "permanently", "perma", "perm", "for good", "forever", "never"})
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS: Final = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hour", "hours"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day", "days"), timedelta(days=1)),
    **dict.fromkeys(("w", "week", "weeks"), timedelta(weeks=1)),
    **dict.fromkeys(("mo", "month", "months"), timedelta(days=30)),
    **dict.fromkeys(("y", "year", "years"), timedelta(days=365)),
}
_PART: Final = re.compile(r"([0-9]{1,5})\s*([a-z]+)[\s,]*")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TAKES: Final = "A duration is `7d`, `2w`, `1d 12h`, `until friday 18:00`, `until 2030-01-31` or `permanent`."


@dataclass(frozen=True)
class Term:
    """What was understood. Neither is set: for good."""

    span: timedelta | None = None
    moment: datetime | None = None

    @property
    def for_good(self) -> bool:
        return self.span is None and self.moment is None

    def until(self, begin: datetime) -> datetime | None:
        """When a ban ends that begins now; None: never."""
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
        ValueError: with a sentence that says what is understood.
    """
    words = " ".join(text.lower().split())
    if words in _FOR_GOOD:
        return Term()
    if words.startswith("until "):
        return Term(moment=_moment(words.removeprefix("until "), now, _zone(zone)))
    span = _span(words.removeprefix("for "))
    if not span or span > LONGEST:
        raise ValueError("A ban lasts between a minute and ten years, or is `permanent`.")
    return Term(span=span)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _span(words: str) -> timedelta:
    total, at = timedelta(), 0
    while at < len(words):
        match = _PART.match(words, at)
        unit = _UNITS.get(match[2]) if match else None
        if match is None or unit is None:
            raise ValueError(_TAKES)
        total += min(int(match[1]) * unit, 2 * LONGEST)
        at = match.end()
    return total


def _moment(words: str, now: datetime, zone: ZoneInfo) -> datetime:
    """A day, a time of the day, or both; a day without a time means this time of that day."""
    here = now.astimezone(zone)
    day, _, rest = words.partition(" ")
    named = _day(day, here.date())
    clock = _clock(rest if named else words)
    if clock is None and (rest or not named):
        raise ValueError(_TAKES)
    end = datetime.combine(named or here.date(), clock or here.time().replace(second=0, microsecond=0), zone)
    if not named and end <= here:
        end += timedelta(days=1)
    if not here < end <= here + LONGEST:
        raise ValueError("A ban ends in the future, within ten years; otherwise it is `permanent`.")
    return end.astimezone(UTC)


def _clock(words: str) -> time | None:
    match = _CLOCK.fullmatch(words.removeprefix("at "))
    return time(int(match[1]), int(match[2])) if match and int(match[1]) < 24 and int(match[2]) < 60 else None


def _day(word: str, today: date) -> date | None:
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    weekday = next((n for n, name in enumerate(_DAYS) if len(word) >= 3 and name.startswith(word)), None)
    if weekday is not None:
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    match = _DATE.fullmatch(word)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        raise ValueError(_TAKES) from None
