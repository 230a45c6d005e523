"""What cron expressions are kept, and what they mean. Their runs are in `test_schedules_times`."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.cron import CLOSEST, checked

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
PLACES = (
    "Europe/Berlin",
    "America/Santiago",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Asia/Kolkata",
)


@st.composite
def wanted(draw: st.DrawFn) -> str:
    """Named times, or an interval, on some days of the week."""
    weekdays = draw(st.just(frozenset(range(7))) | st.frozensets(st.integers(0, 6), min_size=1))
    week = "*" if len(weekdays) == 7 else numbers(weekdays)
    if draw(st.booleans()):
        step = draw(st.sampled_from([5, 10, 15, 20, 30]))
        named = draw(st.none() | st.frozensets(st.integers(0, 4), min_size=1))
        return f"*/{step} {'*' if named is None else numbers(named)} * * {week}"
    minutes = draw(st.sampled_from(["0", "30", "59", "0,30"]))
    return f"{minutes} {numbers(draw(st.frozensets(st.integers(0, 23), min_size=1, max_size=6)))} * * {week}"


def numbers(values: frozenset[int]) -> str:
    return ",".join(map(str, sorted(values)))


@given(expression=wanted(), place=st.sampled_from(PLACES), minutes=st.integers(0, 5 * 366 * 1440))
def test_going_on_from_a_run_gives_the_same_runs(expression: str, place: str, minutes: int) -> None:
    """Whether the bot computes five runs for a preview or one after the other: the same, each later than the last."""
    zone, after = ZoneInfo(place), datetime(2025, 1, 1, tzinfo=UTC) + minutes * MINUTE
    cron = checked(expression)
    runs = list(islice(cron.runs(after, zone), 12))
    assert [cron.next_run(before, zone) for before in [after, *runs[:-1]]] == runs
    assert runs == sorted(set(runs)) and runs[0] > after


@pytest.mark.parametrize(
    ("expression", "after", "local"),
    [
        ("30 2 * * *", "2026-03-28T12:00Z", ["03-29 03:30", "03-30 02:30"]),  # skipped: kept by the old offset
        ("30 2 * * *", "2026-10-24T12:00Z", ["10-25 02:30", "10-26 02:30"]),  # twice on the clock, once done
        ("30 2 * * *", "2026-10-25T01:00Z", ["10-26 02:30"]),  # in the second of the two hours
        ("*/30 * * * *", "2026-10-25T00:10Z", ["10-25 02:30", "10-25 02:00", "10-25 02:30", "10-25 03:00"]),
        ("0 4 29 2 *", "2026-01-01T00:00Z", ["02-29 04:00"]),
        ("0 4 L * *", "2026-02-01T00:00Z", ["02-28 04:00", "03-31 04:00"]),
    ],
)
def test_the_clock_in_berlin(expression: str, after: str, local: list[str]) -> None:
    runs = islice(checked(expression).runs(datetime.fromisoformat(after), BERLIN), len(local))
    assert [f"{run.astimezone(BERLIN):%m-%d %H:%M}" for run in runs] == local


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 0 31 2 *", "This never comes: no such month has a day 31."),
        ("0 0 30,31 2 *", "This never comes: no such month has a day 30,31."),
        ("0 0 31 4,6 */2", "This never comes: no such month has a day 31."),
        ("0 0 30-31 2 *", "This never comes: no such month has a day 30-31."),
        ("0 4 5-1 * *", "5-1 is no day of the month that cron knows."),
        ("0 4 1-2-3 * *", "1-2-3 is no day of the month that cron knows."),
        ("0 0 32 * *", "32 is no day of the month that cron knows."),
        ("0 0 \u00b2 * *", "is no day of the month"),
        ("60 * * * *", "60 is no minute that cron knows."),
        ("0 24 * * *", "24 is no hour that cron knows."),
        ("0 0 * 13 *", "13 is no month that cron knows."),
        ("0 0 * * 8", "8 is no day of the week that cron knows."),
        ("0 0 * * @everyone", "@\u200bEVERYONE is no day of the week that cron knows."),
        ("0 0 * *", "has five fields"),
        ("0 0 0 * * *", "this has 6"),
        ("* * * * *", "would run every minute; 5 minutes is the least"),
        ("*/4 * * * *", "would run 4 minutes apart"),
        ("*/7 * * * *", "would run 4 minutes apart"),  # 56, then 0
        ("0,58 0,23 * * *", "would run 2 minutes apart"),  # over midnight
        ("0,1 4 1 1 *", "would run every minute"),
        (",".join(["0"] * 60) + " 4 * * *", "longer than 100 characters"),
        ("0 4 * * " + "9" * 5000, "longer than 100 characters"),
        ("1-0 * * * *", "1-0 is no minute"),
        ("*/0 * * * *", "is no minute"),
        ("- 4 * * *", "- is no minute"),
    ],
)
def test_what_cannot_be_kept_is_said(expression: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        checked(expression)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 4 * * *", "At 04:00 every day"),
        ("*/30 * * * *", "Every 30 minutes"),
        ("*/45 * * * *", "Every 45th minute of every hour"),
        ("0 * * * *", "Every hour"),
        ("30 6 * * 1-5", "At 06:30 on Monday through Friday"),
        ("0 4 31 * *", "At 04:00 on the 31st day of every month"),
        ("0,58 0,23 1 * *", "At 00:00, 00:58, 23:00, and 23:58 on the first day of every month"),
        ("0 4 * * mon", "At 04:00 on Monday"),
    ],
)
def test_what_was_understood_is_said(expression: str, words: str) -> None:
    assert checked(expression).words == words


@given(st.text(st.sampled_from("0123456789*,-/#L \u0661\u00b2"), max_size=30))
def test_no_text_is_more_than_refused(expression: str) -> None:
    """Whatever is typed is either kept, with its words and its runs not too close, or refused with a sentence."""
    try:
        cron = checked(expression)
    except ValueError as refused:
        said = str(refused)
    else:
        said = cron.words + "."
        runs = list(islice(cron.runs(datetime(2026, 6, 1, tzinfo=UTC), UTC), 4))
        assert runs and all(later - earlier >= CLOSEST for earlier, later in pairwise(runs))
    assert said.endswith(".")
