"""A moment in the future as people type it: `2d`, `tomorrow 18:00`, `friday`, `2026-12-24 8pm`."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from bot.domain import durations
from bot.domain.cron_words import days_of_week, time_of_day
from bot.domain.words import safe

FARTHEST: Final = timedelta(days=366)
_YEAR: Final = timedelta(days=365)
_FILLERS: Final = frozenset({"until", "till", "for", "on", "at", "in"})


def parse(text: str, now: datetime, zone: tzinfo, farthest: timedelta = FARTHEST) -> datetime:
    """Reads a duration from now, or a day and a time on the clock of a zone; a day without a time is its beginning.

    Raises:
        ValueError: with a sentence, where it is neither, is over, or is farther ahead than that.
    """
    words = [word for word in text.lower().split() if word not in _FILLERS]
    moment = _after(words, now) or _on_the_clock(words, now.astimezone(zone))
    if moment is None:
        raise ValueError(f"{safe(text, 40)} is no moment; it takes such as `2d`, `friday 18:00` or `2026-12-24 8:00`.")
    if not now < moment <= now + farthest:
        years = farthest // _YEAR
        ahead = f"more than {f'{years} years' if years > 1 else 'a year'} ahead"
        raise ValueError(f"{safe(text, 40)} is {'over' if moment <= now else ahead}.")
    return moment.astimezone(UTC)  # not before: at the ends of the calendar there may be no such moment in UTC


def _after(words: list[str], now: datetime) -> datetime | None:
    try:
        return now + durations.parse(" ".join(words))
    except ValueError:
        return None


def _on_the_clock(words: list[str], here: datetime) -> datetime | None:
    """A moment in the zone of `here`; a day of the week is the next on which the time is still to come."""
    other_week, words = words[:1] == ["next"], words[words[:1] == ["next"] :]
    day = named_day(words[0], here.date()) if words else None
    rest = words[1:] if day else words
    time = time_of_day("".join(rest)) if rest else (0, 0)
    if time is None or not words:
        return None
    passed = time <= (here.hour, here.minute)
    if day is None:
        day = here.date() + timedelta(days=passed)
    elif day == here.date() and (passed or other_week) and days_of_week(words[0]):
        day += timedelta(weeks=1)
    return datetime(day.year, day.month, day.day, *time, tzinfo=here.tzinfo)


def named_day(word: str, today: date) -> date | None:
    """The day that a word names: today, tomorrow, a date, or the next day of the week; None: it names none."""
    if word in ("today", "tomorrow"):
        return today + timedelta(days=word == "tomorrow")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        try:
            return date.fromisoformat(word)
        except ValueError:
            return None
    days = days_of_week(word)
    if len(days) != 1:
        return None
    ((wanted,),) = (days,)
    return today + timedelta(days=(wanted - today.isoweekday()) % 7)
