"""Cron in plain words: `every day at 4`, `weekdays 6:30`, `mondays and fridays at 18:00`, `every 6 hours`."""

import re
from dataclasses import dataclass, field
from typing import Final

from bot.domain.cron import Cron, checked
from bot.domain.words import safe

EXAMPLES: Final = "every day at 4", "weekdays 6:30", "mondays at 18:00", "1st at 4:30", "every 6 hours", "30 4 * * 1-5"
_LONGEST: Final = 200
_LOOKS_LIKE_CRON: Final = re.compile(r"[\d*,/-]+\s+[\d*,/-]+(\s+\S+)*")
_INTERVAL: Final = re.compile(r"(?:every|each)\s+(?:(\d{1,4})\s*)?(minutes?|mins?|m|hours?|hrs?|h)")
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|h)?")
_MONTH_DAY: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SPOKEN_TIMES: Final = {"midnight": (0, 0), "noon": (12, 0), "midday": (12, 0)}
_COUNTED: Final = re.compile(r"\b(?:every|each) \d+(?! ?[ap]m\b)(?= |h|,|$)|\bday \d+(?= of| at)")
"""A number that is no time of day, though it could be taken for one: `every 2 days at 4`, `day 15 of the month`."""
_MONTHLY: Final = frozenset({"monthly", "month"})
_FILLERS: Final = _MONTHLY | frozenset("every each on at and & the of weekly o'clock oclock".split())
_NAMES: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SHORT: Final = {"tues": 2, "wednes": 3, "thur": 4, "thurs": 4}
_DAYS: Final[dict[str, frozenset[int]]] = {
    **{form: frozenset({n}) for n, name in enumerate(_NAMES) for form in (name, name + "s", name[:3])},
    **{form: frozenset({n}) for form, n in _SHORT.items()},
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays"), frozenset({1, 2, 3, 4, 5})),
    **dict.fromkeys(("weekend", "weekends"), frozenset({0, 6})),
    **dict.fromkeys(("day", "days", "daily", "night", "nightly"), frozenset(range(7))),
}
_WHOLE_HOURS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
_WHOLE_MINUTES: Final = (5, 6, 10, 12, 15, 20, 30, 60)


def parse(text: str) -> Cron:
    """Reads when something is to be done, in plain words or as cron.

    Raises:
        ValueError: with a sentence that says what is understood instead.
    """
    words = " ".join(text.lower().split())
    if len(words) > _LONGEST:
        raise ValueError(f"`when` has {len(words)} characters; it takes {_LONGEST}.")
    if _LOOKS_LIKE_CRON.fullmatch(words):
        return checked(words)
    if words == "hourly":
        return checked("0 * * * *")
    if interval := _INTERVAL.fullmatch(words):
        return checked(_interval(int(interval[1] or 1), hours=interval[2].startswith("h")))
    return checked(_read(words).cron())


def _interval(every: int, *, hours: bool) -> str:
    if hours and every in _WHOLE_HOURS:
        # named hours and no `*/6`: then each comes once on the days when clocks are changed, too
        return "0 * * * *" if every == 1 else f"0 {','.join(map(str, range(0, 24, every)))} * * *"
    if not hours and every in (1, 2, 3, 4, *_WHOLE_MINUTES):
        return "0 * * * *" if every == 60 else f"*/{every} * * * *"
    able = ", ".join(map(str, _WHOLE_HOURS if hours else _WHOLE_MINUTES))
    unit, whole = ("hours", "a day") if hours else ("minutes", "an hour")
    raise ValueError(f"Every {every} {unit} does not divide {whole}; it takes {able}.")


@dataclass
class _Reading:
    """What was understood so far."""

    times: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    days: set[int] = field(default_factory=set[int])
    month_days: set[str] = field(default_factory=set[str])

    def cron(self) -> str:
        if not self.times:
            raise ValueError(f"`when` says no time of day. {_understood()}")
        if not self.days and not self.month_days:
            self.days.update(range(7))
        if len(self.days) == 7 and self.month_days:
            self.days.clear()  # `the last day of the month`
        if self.days and self.month_days:
            raise ValueError("`when` takes days of the week or days of the month; for both make two schedules.")
        minutes = {minute for _, minute in self.times}
        if len(minutes) > 1:
            raise ValueError("Times with different minutes, such as 4:00 and 16:30, need a schedule each.")
        hours = ",".join(str(hour) for hour, _ in sorted(self.times))
        return f"{minutes.pop()} {hours} {','.join(sorted(self.month_days)) or '*'} * {self._week()}"

    def _week(self) -> str:
        if len(self.days) in (0, 7):
            return "*"
        return "1-5" if self.days == set(range(1, 6)) else ",".join(map(str, sorted(self.days)))


def _read(words: str) -> _Reading:
    reading = _Reading()
    if counted := _COUNTED.search(words):
        raise ValueError(f"`when` has {safe(counted[0], 40)}, which is not understood like this. {_understood()}")
    spaced = re.sub(r"(\d) (am|pm)\b", r"\1\2", words.replace(",", " ")).split()
    for word in spaced:
        if word not in _FILLERS and not _take(reading, word):
            raise ValueError(f"`when` has {safe(word, 40)}, which is not understood. {_understood()}")
    if "weekly" in spaced and not reading.days:
        raise ValueError("`when` says no day of the week, such as `mondays at 18:00`.")
    if not _MONTHLY.isdisjoint(spaced) and not reading.month_days:
        raise ValueError("`when` says no day of the month, such as `1st at 4:30` or `last day of the month at 4`.")
    return reading


def _take(reading: _Reading, word: str) -> bool:
    if days := days_of_week(word):
        reading.days |= days
    elif time := time_of_day(word):
        reading.times.add(time)
    elif (ordinal := _MONTH_DAY.fullmatch(word)) and 1 <= int(ordinal[1]) <= 31:
        reading.month_days.add(str(int(ordinal[1])))
    elif word == "last":
        reading.month_days.add("L")
    else:
        return False
    return True


def days_of_week(word: str) -> frozenset[int]:
    """The days that `monday`, `weekdays` or `mon-thu` names, 0 for Sunday; empty where it names none."""
    first, dash, last = word.partition("-")
    if not dash:
        return _DAYS.get(word, frozenset())
    begin, end = _DAYS.get(first, frozenset()), _DAYS.get(last, frozenset())
    if len(begin) != 1 or len(end) != 1:
        return frozenset()
    ((start,), (stop,)) = (begin, end)
    return frozenset((start + n) % 7 for n in range((stop - start) % 7 + 1))


def time_of_day(word: str) -> tuple[int, int] | None:
    """Hour and minute of `4`, `04:00`, `6pm`, `noon`; None where it is none."""
    if word in _SPOKEN_TIMES:
        return _SPOKEN_TIMES[word]
    match = _TIME.fullmatch(word)
    if not match:
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half in ("am", "pm"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def _understood() -> str:
    return f"It takes such as {', '.join(f'`{example}`' for example in EXAMPLES)}."
