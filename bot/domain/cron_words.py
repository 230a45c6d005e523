"""Cron in plain words: `every day at 4`, `weekdays 6:30`, `mondays and fridays at 18:00`, `every 6 hours`."""

import re
from dataclasses import dataclass, field
from typing import Final

from bot.domain.cron import Cron, checked
from bot.domain.cron_phrases import DAY_NAMES, MONTHS, plain
from bot.domain.words import safe

EXAMPLES: Final = (
    "every day at 4", "weekdays 6:30", "mondays and fridays at 18:00", "first sunday of the month at 5", "1st at 4:30",
    "every 6 hours", "every 30 minutes", "30 4 * * 1-5",
)  # fmt: skip
_LONGEST: Final = 200
_LOOKS_LIKE_CRON: Final = re.compile(r"[\d*,/-]+\s+[\d*,/-]+(\s+\S+)*")
_INTERVAL: Final = re.compile(r"(?:every|each)\s+(?:(\d{1,4})\s*)?(minutes?|mins?|m|hours?|hrs?|h)\b(?P<rest>.*)")
_PAST: Final = re.compile(
    r"(?:at |on )?(?:minute (\d{1,2})|:(\d{2})|(\d{2})(?: minutes)?(?: past)?(?: the hour)?)(?![\d:.])"
)
_FROM: Final = re.compile(
    r"(?:starting |beginning )?(?:at|from|between) (\S+(?: [ap]m)?)(?: (?:and|to|until|till|-) (\S+(?: [ap]m)?))?"
)
_TIME: Final = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*(am|pm|h)?")
_MONTH_DAY: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SPOKEN_TIMES: Final = {"midnight": (0, 0), "noon": (12, 0), "midday": (12, 0)}
_COUNTED: Final = re.compile(r"\b(?:every|each) \d+(?! ?[ap]m\b)(?= |h|,|$)|\bday \d+(?= at)")
"""A number that is no time of day, though it could be taken for one: `every 2 days at 4`."""
_NTH: Final = re.compile(r"([0-6])(?:#([1-5])|l)")
_DATE: Final = re.compile(r"d(\d{1,2})m(\d{1,2})")
_MONTHLY: Final = frozenset({"monthly", "month"})
_FILLERS: Final = _MONTHLY | frozenset(
    "every each on at and & the of in weekly yearly year annually o'clock oclock".split()
)
_SHORT: Final = {"tues": 2, "wednes": 3, "thur": 4, "thurs": 4}
_DAYS: Final[dict[str, frozenset[int]]] = {
    **{form: frozenset({n}) for n, name in enumerate(DAY_NAMES) for form in (name, name + "s", name[:3])},
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
    typed = " ".join(text.lower().split())
    if len(typed) > _LONGEST:
        raise ValueError(f"`when` has {len(typed)} characters; it takes {_LONGEST}.")
    if _LOOKS_LIKE_CRON.fullmatch(typed):
        return checked(typed)
    words = plain(typed)
    if interval := _INTERVAL.fullmatch(words):
        return checked(_interval(int(interval[1] or 1), interval["rest"].strip(), hours=interval[2].startswith("h")))
    return checked(_read(words).cron())


def _interval(every: int, rest: str, *, hours: bool) -> str:
    """`every 6 hours`, with what follows: `at :15`, `from 2`, `between 8 and 20`, `on weekdays`."""
    past = _PAST.match(rest) if hours else None
    past = past if past and (every == 1 or not past[3]) else None
    minute = int(next(filter(None, past.groups()))) if past else 0
    rest = rest[past.end() :] if past else rest
    span = _FROM.match(rest.strip())
    begin, end = (
        [time_of_day(word.replace(" ", "")) if word else None for word in span.groups()] if span else (None, None)
    )
    if (span and (begin is None or (span[2] and end is None))) or minute > 59:
        raise ValueError(f"`when` has {safe(rest or str(minute), 40)}, which is not understood. {_understood()}")
    days = _read(rest.strip()[span.end() :] if span else rest.strip())
    if days.times:
        raise ValueError(f"`when` says an interval and a time of day. {_understood()}")
    times = _spread(every, begin or (0, minute), end, hours=hours)
    return f"{times} {days.on()}"


def _spread(every: int, begin: tuple[int, int], end: tuple[int, int] | None, *, hours: bool) -> str:
    """Minutes and hours of an interval."""
    hour, minute = begin
    if not hours and every == 60:
        every, hours = 1, True
    stop = 24 if end is None else (end[0] - hour) % 24 or 24
    if hours and every in _WHOLE_HOURS:
        if every == 1 and end is None:
            return f"{minute} *"
        # named hours and no `*/6`: then each comes once on the days when clocks are changed, too
        inside = range(0, stop + (end is not None and stop < 24 and end[1] >= minute), every)
        return f"{minute} {','.join(map(str, sorted((hour + n) % 24 for n in inside)))}"
    if not hours and every in (1, 2, 3, 4, *_WHOLE_MINUTES):
        if end is None and begin != (0, 0):
            raise ValueError(f"`when` says an interval and a time of day. {_understood()}")
        if minute or (end and end[1]):
            raise ValueError("Minutes between two times need whole hours, such as `every 30 minutes between 8 and 20`.")
        return f"*/{every} {'*' if stop == 24 else _hours(hour, hour + stop - 1)}"
    able = ", ".join(map(str, _WHOLE_HOURS if hours else _WHOLE_MINUTES))
    unit, whole = ("hours", "a day") if hours else ("minutes", "an hour")
    raise ValueError(f"Every {every} {unit} does not divide {whole}; it takes {able}.")


def _hours(first: int, last: int) -> str:
    """`8-19`; over midnight `0-3,22-23`."""
    spans = [(first, last)] if last < 24 else [(0, last - 24), (first, 23)]
    return ",".join(str(begin) if begin == end else f"{begin}-{end}" for begin, end in spans)


@dataclass
class _Reading:
    """What was understood so far."""

    times: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    days: set[int] = field(default_factory=set[int])
    nth_days: set[str] = field(default_factory=set[str])
    month_days: set[str] = field(default_factory=set[str])
    months: set[int] = field(default_factory=set[int])
    dates: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])

    def cron(self) -> str:
        if not self.times:
            raise ValueError(f"`when` says no time of day. {_understood()}")
        minutes = {minute for _, minute in self.times}
        if len(minutes) > 1:
            raise ValueError("Times with different minutes, such as 4:00 and 16:30, need a schedule each.")
        hours = ",".join(str(hour) for hour, _ in sorted(self.times))
        return f"{minutes.pop()} {hours} {self.on()}"

    def on(self) -> str:
        """The days: the last three fields."""
        if len({month for _, month in self.dates}) > 1 and len({day for day, _ in self.dates}) > 1:
            raise ValueError("Different days of different months need a schedule each.")
        self.months.update(month for _, month in self.dates)
        self.month_days.update(str(day) for day, _ in self.dates)
        if len(self.days) == 7 and self.month_days:
            self.days.clear()  # `the last day of the month`
        if (self.days or self.nth_days) and self.month_days:
            raise ValueError("`when` takes days of the week or days of the month; for both make two schedules.")
        months = ",".join(map(str, sorted(self.months))) or "*"
        return f"{','.join(sorted(self.month_days)) or '*'} {months} {self._week()}"

    def _week(self) -> str:
        if self.nth_days:
            return ",".join([*sorted(self.nth_days), *map(str, sorted(self.days))])
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
    if "weekly" in spaced and not (reading.days or reading.nth_days):
        raise ValueError("`when` says no day of the week, such as `mondays at 18:00`.")
    if not _MONTHLY.isdisjoint(spaced) and not (reading.month_days or reading.nth_days or reading.dates):
        raise ValueError("`when` says no day of the month, such as `1st at 4:30` or `last day of the month at 4`.")
    return reading


def _take(reading: _Reading, word: str) -> bool:
    if days := days_of_week(word):
        reading.days |= days
    elif time := time_of_day(word):
        reading.times.add(time)
    elif (ordinal := _MONTH_DAY.fullmatch(word)) and 1 <= int(ordinal[1]) <= 31:
        reading.month_days.add(str(int(ordinal[1])))
    elif word in ("last", "lw"):
        reading.month_days.add("L" if word == "last" else "LW")
    elif _NTH.fullmatch(word):
        reading.nth_days.add(word.upper())
    elif word in MONTHS:
        reading.months.add(MONTHS[word])
    elif (date := _DATE.fullmatch(word)) and 1 <= int(date[1]) <= 31 and 1 <= int(date[2]) <= 12:
        reading.dates.add((int(date[1]), int(date[2])))
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
