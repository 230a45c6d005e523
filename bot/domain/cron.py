"""When a schedule runs: cron of five fields on the wall clock of a zone, turned into moments.

`cronsim` says which times of the clock on the wall are meant; what becomes of them when clocks are changed is decided
here, because its own answer can lie in the past. A time that names its hours and minutes is meant once a day: one that
the clocks skip is kept by the offset before the change (RFC 5545), one that comes twice runs the first time. An
interval (minute or hour begins with `*`) goes on in real time, as cron does it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, cast

from cronsim import CronSim, CronSimError

from bot.domain.words import safe

CLOSEST: Final = timedelta(minutes=5)
"""Runs may not be closer than this."""
LONGEST: Final = 100
"""Characters of an expression."""
_LARGEST_CHANGE: Final = timedelta(hours=3)
"""No clock on the wall is moved further than this."""
_START: Final = datetime(2024, 1, 1)  # noqa: DTZ001 - a time on the wall, in no zone
_EVERY_MINUTES: Final = re.compile(r"\*/(\d+) \* \* \* \*")
_MISSPELT: Final = re.compile(r"\b([23]?)([123])th\b")
_DAYS: Final = re.compile(r"([1-9]|[12][0-9]|3[01])(?:-([1-9]|[12][0-9]|3[01]))?")
_FIELDS: Final = ("minute", "hour", "day of the month", "month", "day of the week")


@dataclass(frozen=True)
class Cron:
    """A checked expression, and what it means in words."""

    expression: str
    words: str

    def next_run(self, after: datetime, zone: tzinfo) -> datetime | None:
        """The first run later than a moment; None: there is none in 50 years."""
        return next(self.runs(after, zone), None)

    def runs(self, after: datetime, zone: tzinfo) -> Iterator[datetime]:
        """The runs later than a moment, in order and in UTC."""
        return _runs(self.expression, after, zone)

    def change_at(self, run: datetime, zone: tzinfo) -> Literal["", "skipped", "doubled"]:
        """What a change of clocks does to a run: the time that was meant is skipped, or comes twice; mostly nothing."""
        here = run.astimezone(zone)
        sim = _sim(self.expression, _START)
        if not _is_interval(self.expression) and (here.hour not in sim.hours or here.minute not in sim.minutes):
            return "skipped"
        first, second = here.replace(fold=0).utcoffset(), here.replace(fold=1).utcoffset()
        return "doubled" if first is not None and second is not None and first > second else ""


@lru_cache(maxsize=4096)
def checked(expression: str) -> Cron:
    """A cron expression that can be kept.

    Raises:
        ValueError: with a sentence that says what is wrong with it.
    """
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"Cron has five fields ({', '.join(_FIELDS)}); this has {len(fields)}.")
    plain = " ".join(fields).upper()
    if len(plain) > LONGEST:
        raise ValueError(f"This cron expression is longer than {LONGEST} characters.")
    sim = _sim(plain, _START)
    if next(sim, None) is None:
        raise ValueError("This never comes: there is no such day.")
    if (closest := _closest(plain)) < CLOSEST:
        minutes = int(closest.total_seconds() // 60)
        apart = "every minute" if minutes == 1 else f"{minutes} minutes apart"
        raise ValueError(f"That would run {apart}; {int(CLOSEST.total_seconds() // 60)} minutes is the least.")
    return Cron(plain, _words(plain, sim))


def _words(expression: str, sim: CronSim) -> str:
    if (every := _EVERY_MINUTES.fullmatch(expression)) and 60 % int(every[1]) == 0:
        return f"Every {every[1]} minutes"
    if expression == "0 * * * *":
        return "Every hour"
    return _MISSPELT.sub(lambda found: f"{found[1]}{found[2]}{('st', 'nd', 'rd')[int(found[2]) - 1]}", sim.explain())


def _sim(expression: str, after: datetime) -> CronSim:
    try:
        return CronSim(expression, after)
    except CronSimError as error:
        raise ValueError(_reason(expression, str(error))) from error


def _reason(expression: str, error: str) -> str:
    wrong = error.removeprefix("Bad ").replace("-of-", " of the ")
    if wrong not in _FIELDS:
        return "This is no cron expression."
    field = expression.split()[_FIELDS.index(wrong)]
    if wrong == "day of the month" and all(map(_are_days, field.split(","))):
        return f"This never comes: no such month has a day {field}."
    return f"{safe(field, 40)} is no {wrong} that cron knows."


def _are_days(part: str) -> bool:
    """A day of a month, or some in a row, not backwards."""
    days = _DAYS.fullmatch(part)
    return days is not None and int(days[1]) <= int(days[2] or 31)


def _closest(expression: str) -> timedelta:
    """The shortest time between two runs, by the clock on the wall."""
    sim = _sim(expression, _START)
    times = sorted(timedelta(hours=hour, minutes=minute) for hour in sim.hours for minute in sim.minutes)
    day = timedelta(days=1)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    over_midnight = times[0] + day - times[-1]
    if over_midnight < CLOSEST and _on_consecutive_days(sim):
        gaps.append(over_midnight)
    return min(gaps, default=day)


def _on_consecutive_days(sim: CronSim) -> bool:
    days = [date(2024, 1, 1) + timedelta(days=n) for n in range(4 * 366)]
    meant = [day.month in sim.months and sim.match_day(day) for day in days]
    return any(one and other for one, other in pairwise(meant))


def _runs(expression: str, after: datetime, zone: tzinfo) -> Iterator[datetime]:
    """Times on the wall come in order; moments may not, where the clocks are changed. So a moment is given away only
    when the times have gone far enough past it."""
    moments = _repeating if _is_interval(expression) else _once
    start = after.astimezone(zone).replace(tzinfo=None) - _LARGEST_CHANGE
    waiting: set[datetime] = set()
    for wall in cast("Iterator[datetime]", CronSim(expression, start)):
        passed = (wall - _LARGEST_CHANGE).replace(tzinfo=zone).astimezone(UTC)
        for moment in sorted(moment for moment in waiting if moment < passed):
            waiting.discard(moment)
            yield moment
        waiting.update(moment for moment in moments(wall, zone) if moment > after)
    yield from sorted(waiting)


def _is_interval(expression: str) -> bool:
    return any(field.startswith("*") for field in expression.split()[:2])


def _once(wall: datetime, zone: tzinfo) -> list[datetime]:
    return [wall.replace(tzinfo=zone, fold=0).astimezone(UTC)]


def _repeating(wall: datetime, zone: tzinfo) -> list[datetime]:
    """Every moment at which the clock on the wall shows this: none, one or two."""
    moments = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return [moment for moment in moments if moment.astimezone(zone).replace(tzinfo=None) == wall]
