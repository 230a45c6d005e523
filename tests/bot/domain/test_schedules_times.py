"""When runs begin, against a walk over every minute: cron's definition, both changes of clocks, windows and leads."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import checked
from bot.domain.schedules_times import Timetable
from bot.domain.schedules_windows import Window

MINUTE, AROUND = timedelta(minutes=1), timedelta(hours=4)
CHANGES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "America/Santiago": ("2026-04-05", "2026-09-06"),  # at midnight
    "America/Sao_Paulo": ("2018-02-18", "2018-11-04"),  # at midnight, until 2019
    "America/Havana": ("2026-03-08", "2026-11-01"),  # 0:00 to 1:00, and 1:00 to 0:00
    "Africa/Cairo": ("2026-04-24", "2026-10-30"),
    "Asia/Kolkata": ("2026-03-29", "2026-10-25"),  # none
    "Asia/Tehran": ("2021-03-22", "2021-09-22"),  # offset of 3:30, at midnight, until 2022
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),  # half an hour
    "Pacific/Apia": ("2020-04-05", "2020-09-27"),  # until 2021
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),  # offset of 12:45
    "UTC": ("2026-03-29", "2026-10-25"),
}


@dataclass(frozen=True)
class Rule:
    """The five fields as sets of numbers; None: a star."""

    minutes: frozenset[int]
    hours: frozenset[int] | None
    days: frozenset[int] | None
    months: frozenset[int] | None
    week: frozenset[int] | None
    step: int = 0
    """The minute is written `*/step`."""

    @property
    def expression(self) -> str:
        written = [
            "*" if field is None else ",".join(map(str, sorted(field)))
            for field in (self.minutes, self.hours, self.days, self.months, self.week)
        ]
        return " ".join([f"*/{self.step}" if self.step else written[0], *written[1:]])

    @property
    def repeats(self) -> bool:
        """It goes on in real time, and does not name its times."""
        return bool(self.step) or self.hours is None

    def shows(self, wall: datetime) -> bool:
        """Whether a clock on the wall that shows this means a run."""
        on_time = wall.minute in self.minutes and (self.hours is None or wall.hour in self.hours)
        return on_time and self._on(wall.date())

    def _on(self, day: date) -> bool:
        if self.months is not None and day.month not in self.months:
            return False
        of_month = self.days is None or day.day in self.days
        of_week = self.week is None or day.isoweekday() % 7 in self.week
        # cron: where both are named either is enough
        named = self.days is not None and self.week is not None
        return of_month or of_week if named else of_month and of_week


def some(first: int, last: int, most: int) -> st.SearchStrategy[frozenset[int] | None]:
    return st.none() | st.frozensets(st.integers(first, last), min_size=1, max_size=most)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    hours, week = draw(some(0, 23, 6)), draw(some(0, 6, 6))
    days = draw(some(1, 28, 10))
    months = draw(st.none() | st.just(frozenset(range(1, 13))) | st.just(frozenset({2, 3, 4, 9, 10, 11})))
    if step := draw(st.sampled_from([0, 0, 5, 15, 30])):
        return Rule(frozenset(range(0, 60, step)), hours, days, months, week, step)
    return Rule(draw(st.sampled_from([frozenset({0}), frozenset({30}), frozenset({0, 30})])), hours, days, months, week)


def walked(rule: Rule, zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The runs after one moment until another, by looking at the clock on the wall in every minute.

    A time that is named and skipped is kept by the clock as it was; one that comes twice counts the first time."""
    seen: set[datetime] = set()
    moment, before = begin - AROUND, (begin - AROUND).astimezone(zone).replace(tzinfo=None) - MINUTE
    while moment <= end + AROUND:
        wall = moment.astimezone(zone).replace(tzinfo=None)
        if not rule.repeats:
            skipped = before + MINUTE
            while skipped < wall:
                if rule.shows(skipped):
                    yield moment + (skipped - before - MINUTE)
                skipped += MINUTE
        if rule.shows(wall) and (rule.repeats or wall not in seen):
            yield moment
        seen.add(wall)
        before = max(before, wall) if not rule.repeats else wall
        moment += MINUTE


def wanted(rule: Rule, zone: ZoneInfo, after: datetime, end: datetime) -> list[datetime]:
    return sorted({run for run in walked(rule, zone, after, end) if after < run <= end})


def near(place: str, change: int, shift: int) -> datetime:
    return datetime.fromisoformat(CHANGES[place][change]).replace(tzinfo=UTC) + shift * MINUTE


PLACES, SIDES, SHIFTS = st.sampled_from(sorted(CHANGES)), st.integers(0, 1), st.integers(-16 * 60, 26 * 60)


@given(rule=rules(), place=PLACES, change=SIDES, shift=SHIFTS)
def test_runs_are_those_that_cron_defines(rule: Rule, place: str, change: int, shift: int) -> None:
    zone, after = ZoneInfo(place), near(place, change, shift)
    end = after + timedelta(hours=30)
    runs = list(takewhile(lambda run: run <= end, islice(checked(rule.expression).runs(after, zone), 600)))
    assert runs == wanted(rule, zone, after, end)


@given(
    rule=rules(),
    place=PLACES,
    change=SIDES,
    shift=SHIFTS,
    begin=st.times(),
    end=st.times(),
    lead=st.integers(0, 60),
)
def test_runs_in_a_window_begin_so_long_before(
    rule: Rule, place: str, change: int, shift: int, begin: time, end: time, lead: int
) -> None:
    """The window is open by the clock on the wall at the run's time, over midnight, too."""
    begin, end = begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    if begin == end:
        return
    zone, after = ZoneInfo(place), near(place, change, shift)
    stop, before = after + timedelta(hours=30), lead * MINUTE
    times = Timetable(checked(rule.expression), zone, Window(begin, end), before)
    found = list(takewhile(lambda run: run <= stop, islice(times.begins(after), 600)))
    assert found == [
        run - before
        for run in wanted(rule, zone, after + before, stop + before)
        if opened(run.astimezone(zone), begin, end)
    ]


def opened(here: datetime, begin: time, end: time) -> bool:
    """Counts forward from the opening of the window, minute by minute, until the clock shows its end."""
    minutes = (end.hour * 60 + end.minute - begin.hour * 60 - begin.minute) % 1440
    since = (here.hour * 60 + here.minute - begin.hour * 60 - begin.minute) % 1440
    return since < minutes


def test_a_window_in_which_no_time_lies_has_no_runs() -> None:
    times = Timetable(checked("0 12 * * *"), UTC, Window(time(22), time(4)))
    assert not list(times.begins(datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize(
    ("place", "expression", "after", "changes"),
    [
        ("Europe/Berlin", "30 2 * * *", "2026-03-27T12:00Z", ["", "skipped", ""]),
        ("Europe/Berlin", "30 2 * * *", "2026-10-23T12:00Z", ["", "doubled", ""]),
        ("Europe/Berlin", "0 4 * * *", "2026-03-28T12:00Z", ["", "", ""]),
        ("Europe/Berlin", "*/30 2 * * *", "2026-10-24T23:59Z", ["doubled"] * 4),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-02T00:00Z", ["", "skipped", ""]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-03T00:00Z", ["", "doubled", ""]),
        ("Asia/Kolkata", "30 2 * * *", "2026-03-28T12:00Z", ["", "", ""]),
    ],
)
def test_a_change_of_clocks_is_noticed(place: str, expression: str, after: str, changes: list[str]) -> None:
    cron, zone = checked(expression), ZoneInfo(place)
    runs = islice(cron.runs(datetime.fromisoformat(after), zone), len(changes))
    assert [cron.change_at(run, zone) for run in runs] == changes
