"""`when` of a stop or a restart: now, when nobody is on, after a countdown, or at a time on the community's clock."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal

from bot.domain import durations
from bot.domain.cron_words import days_of_week, time_of_day
from bot.domain.durations import compact, spoken
from bot.domain.until import named_day
from bot.domain.words import safe

LONGEST: Final = timedelta(days=7)
"""So far ahead something can be planned; what comes again and again is a schedule."""
PATIENCE: Final = timedelta(hours=2)
"""How long it is waited for an empty server, where nobody says."""
MOST_PATIENCE: Final = timedelta(days=1)
LEAST_PATIENCE: Final = timedelta(minutes=1)
REMEDY: Final = "`when` takes `now`, `when empty max 3h`, `in 15 minutes`, `18:30`, `tomorrow 4:00` or `friday 6:00`."

_NOW: Final = frozenset({"now", "at once", "immediately"})
_EMPTY: Final = re.compile(r"(?:when|if|once)?\s*empty\s*(.*)")
_LIMIT: Final = re.compile(r"\(?\s*(?:max(?:imum)?|at most|for|within|limit|up to)\.?\s*(.*?)\s*\)?")
_IN: Final = re.compile(r"(in\s+)?(\d.*?)(\s+with(?:\s+a)?\s+countdown)?")
_ZERO: Final = re.compile(r"0+\s*[a-z]+")
_FILLERS: Final = frozenset({"at", "on", "the"})


@dataclass(frozen=True)
class When:
    """A `when` as it was understood."""

    kind: Literal["now", "empty", "at"]
    moment: datetime
    """When it is done, in UTC; of `empty` when it is given up."""
    words: str
    """What was understood, to be echoed before acting."""
    delay: timedelta | None = None
    """Of what counts from the moment in which it is confirmed."""

    def confirmed(self, now: datetime) -> datetime:
        """The moment, where it is confirmed now."""
        return self.moment if self.delay is None else now + self.delay


def parse(text: str, now: datetime, zone: tzinfo) -> When:
    """Reads what somebody typed; nothing is now. `zone`: the community's clock.

    Raises:
        ValueError: with a sentence, where it is no moment, is over, or is too far ahead.
    """
    words = " ".join(text.lower().replace(",", " ").split())
    if not words or words in _NOW:
        return When("now", now, "now")
    if match := _EMPTY.fullmatch(words):
        return _empty(match[1], now)
    return _after(words, now) or _at(words, text, now, zone)


def when_empty(now: datetime, patience: timedelta = PATIENCE) -> When:
    """As soon as nobody is on, unless that takes too long."""
    return When("empty", now + patience, f"when empty (max {compact(patience)})", patience)


def in_time(now: datetime, delay: timedelta) -> When:
    """After a countdown."""
    return When("at", now + delay, f"in {spoken(delay)}", delay)


def _empty(limit: str, now: datetime) -> When:
    if not limit:
        return when_empty(now)
    match = _LIMIT.fullmatch(limit)
    try:
        patience = durations.parse(match[1] if match else limit)
    except ValueError as error:
        raise ValueError(f"{safe(limit, 40)} is no limit of a wait.") from error
    if patience > MOST_PATIENCE:
        raise ValueError(f"A wait for an empty server lasts {spoken(MOST_PATIENCE)} at most.")
    if patience < LEAST_PATIENCE:
        raise ValueError(f"A wait for an empty server lasts {spoken(LEAST_PATIENCE)} at least.")
    return when_empty(now, patience)


def _after(words: str, now: datetime) -> When | None:
    match = _IN.fullmatch(words)
    if match is None:
        return None
    if _ZERO.fullmatch(match[2]):
        return When("now", now, "now")
    try:
        delay = durations.parse(match[2])
    except ValueError as error:
        if match[1] or match[3]:
            raise ValueError(f"{safe(words, 40)} is no moment.") from error
        return None
    if delay > LONGEST:
        raise ValueError(f"A countdown lasts {spoken(LONGEST)} at most.")
    return in_time(now, delay)


def _at(words: str, text: str, now: datetime, zone: tzinfo) -> When:
    moment = _on_the_clock([word for word in words.split() if word not in _FILLERS], now, zone)
    if moment is None:
        raise ValueError(f"{safe(text, 40)} is no moment.")
    if moment <= now:
        raise ValueError(f"{safe(text, 40)} is over.")
    if moment > now + LONGEST:
        raise ValueError(f"{safe(text, 40)} is more than {spoken(LONGEST)} ahead.")
    here, today = moment.astimezone(zone), now.astimezone(zone).date()
    day = {today: "", today + timedelta(days=1): "tomorrow "}.get(here.date(), f"{here:%A} ")
    return When("at", moment, f"{day}at {here:%H:%M} ({zone})")


def _on_the_clock(words: list[str], now: datetime, zone: tzinfo) -> datetime | None:
    """A time, or a day and a time. Without a day, and of a day of the week, the next one that is still to come."""
    today = now.astimezone(zone).date()
    day = named_day("today" if words[0] == "tonight" else words[0], today) if words else None
    time = time_of_day("".join(words[1:] if day else words))
    if time is None:
        return None
    if day is None:
        days = [today, today + timedelta(days=1)]
    elif days_of_week(words[0]):
        days = [day, day + timedelta(weeks=1)]
    else:
        days = [day]
    moments = [moment for each in days for moment in _moments(each, time, zone)]
    return next((moment for moment in moments if moment > now), moments[-1] if moments else None)


def _moments(day: date, time: tuple[int, int], zone: tzinfo) -> list[datetime]:
    """Every moment at which the clock shows this: two where it is set back. A time that is skipped where it is set
    forward comes as much later as it is set."""
    try:
        both = [
            datetime(day.year, day.month, day.day, *time, fold=fold, tzinfo=zone).astimezone(UTC) for fold in (0, 1)
        ]
    except OverflowError:  # at the ends of the calendar
        return []
    return both if both[0] < both[1] else both[:1]
