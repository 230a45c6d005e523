"""`when`, as people type it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.when import LONGEST, REMEDY, When, parse

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)  # a Saturday, 14:00 in Berlin
SET_BACK = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 2:15 in Berlin, for the first time
SET_FORWARD = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)  # 1:30 in Berlin; half an hour later it is 3:00


def here(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize("text", ["", "now", " NOW ", "at once", "immediately", "in 0 minutes", "0m"])
def test_now(text: str) -> None:
    assert parse(text, NOW, BERLIN) == When("now", NOW, "now")


@pytest.mark.parametrize(
    ("text", "minutes", "words"),
    [
        ("when empty", 120, "when empty (max 2 h)"),
        ("WHEN EMPTY max 3h", 180, "when empty (max 3 h)"),
        ("when empty (max 2 h)", 120, "when empty (max 2 h)"),
        ("empty", 120, "when empty (max 2 h)"),
        ("if empty at most 45 min", 45, "when empty (max 45 min)"),
        ("when empty, max 1h 30m", 90, "when empty (max 1 h 30 min)"),
        ("when empty for 1d", 1440, "when empty (max 1 d)"),
        ("when empty 30m", 30, "when empty (max 30 min)"),
    ],
)
def test_when_empty(text: str, minutes: int, words: str) -> None:
    patience = timedelta(minutes=minutes)
    assert parse(text, NOW, BERLIN) == When("empty", NOW + patience, words, patience)


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ("1m", 60, "in 1 minute"),
        ("in 15 minutes", 900, "in 15 minutes"),
        ("IN 15 Min", 900, "in 15 minutes"),
        ("in 15 min with countdown", 900, "in 15 minutes"),
        ("15 mins", 900, "in 15 minutes"),
        ("2h", 7200, "in 2 hours"),
        ("in 1h 30m", 5400, "in 1 hour 30 minutes"),
        ("45s", 45, "in 45 seconds"),
        ("in 7 days", 604800, "in 7 days"),
    ],
)
def test_a_countdown(text: str, seconds: int, words: str) -> None:
    delay = timedelta(seconds=seconds)
    assert parse(text, NOW, BERLIN) == When("at", NOW + delay, words, delay)


@pytest.mark.parametrize(
    ("text", "moment", "words"),
    [
        ("18:30", here(21, 18, 30), "at 18:30 (Europe/Berlin)"),
        ("at 6pm", here(21, 18), "at 18:00 (Europe/Berlin)"),
        ("14:00", here(22, 14), "tomorrow at 14:00 (Europe/Berlin)"),
        ("noon", here(22, 12), "tomorrow at 12:00 (Europe/Berlin)"),
        ("tomorrow 4:00", here(22, 4), "tomorrow at 04:00 (Europe/Berlin)"),
        ("today at 23:59", here(21, 23, 59), "at 23:59 (Europe/Berlin)"),
        ("friday 6:00", here(27, 6), "Friday at 06:00 (Europe/Berlin)"),
        ("on fri at 6", here(27, 6), "Friday at 06:00 (Europe/Berlin)"),
        ("saturday 15:00", here(21, 15), "at 15:00 (Europe/Berlin)"),
        ("saturday 6:00", here(28, 6), "Saturday at 06:00 (Europe/Berlin)"),
        ("2026-11-24 8:00", here(24, 8), "Tuesday at 08:00 (Europe/Berlin)"),
    ],
)
def test_a_time_on_the_communitys_clock(text: str, moment: datetime, words: str) -> None:
    assert parse(text, NOW, BERLIN) == When("at", moment.astimezone(UTC), words)


@pytest.mark.parametrize(
    ("text", "now", "moment", "shown"),
    [
        ("2:30", SET_BACK, datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "02:30"),
        ("2:10", SET_BACK, datetime(2026, 10, 25, 1, 10, tzinfo=UTC), "02:10"),  # the second time that it is
        ("2:30", SET_BACK + timedelta(hours=1), datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "02:30"),
        ("3:00", SET_BACK, datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "03:00"),
        ("2:30", SET_FORWARD, datetime(2026, 3, 29, 1, 30, tzinfo=UTC), "03:30"),  # there is none: later by as much
        ("3:15", SET_FORWARD, datetime(2026, 3, 29, 1, 15, tzinfo=UTC), "03:15"),
        ("tomorrow 2:30", SET_FORWARD, datetime(2026, 3, 30, 0, 30, tzinfo=UTC), "02:30"),
        ("tomorrow 4:00", SET_FORWARD - timedelta(days=1), datetime(2026, 3, 29, 2, 0, tzinfo=UTC), "04:00"),
        ("in 2 hours", SET_FORWARD, datetime(2026, 3, 29, 2, 30, tzinfo=UTC), "in 2 hours"),
    ],
)
def test_days_on_which_clocks_are_changed(text: str, now: datetime, moment: datetime, shown: str) -> None:
    found = parse(text, now, BERLIN)
    assert found.moment == moment
    assert shown in found.words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("in 5", "is no moment"),
        ("in five minutes", "is no moment"),
        ("in 5 minutes ago", "is no moment"),
        ("-5m", "is no moment"),
        ("soon", "is no moment"),
        ("friday", "is no moment"),
        ("25:00", "is no moment"),
        ("2026-02-30 8:00", "is no moment"),
        ("2026-11-20 8:00", "is over"),
        ("today 9:00", "is over"),
        ("2026-12-24 8:00", "is more than 7 days ahead"),
        ("9999-12-31 23:59", "is more than 7 days ahead"),
        ("0001-01-01 0:00", "is no moment"),
        ("in 8 days", "A countdown lasts 7 days at most"),
        ("in 99999 h", "is no moment"),
        ("when empty max 2d", "lasts 1 day at most"),
        ("when empty max 10s", "lasts 1 minute at least"),
        ("when empty max a while", "is no limit of a wait"),
        ("`**x**` @everyone", "is no moment"),
    ],
)
def test_what_cannot_be_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text, NOW, BERLIN)
    assert REMEDY.startswith("`when` takes ")


def test_what_counts_from_the_confirmation_and_what_does_not() -> None:
    later = NOW + timedelta(minutes=1)
    assert parse("in 15 minutes", NOW, BERLIN).confirmed(later) == later + timedelta(minutes=15)
    assert parse("18:30", NOW, BERLIN).confirmed(later) == here(21, 18, 30)


@given(st.integers(1, 7 * 1440))
def test_what_is_echoed_is_understood_again(minutes: int) -> None:
    when = parse(f"{minutes}m", NOW, UTC)
    assert parse(when.words, NOW, UTC) == when


@given(st.integers(1, 1440))
def test_a_wait_that_is_echoed_is_understood_again(minutes: int) -> None:
    when = parse(f"when empty max {minutes}m", NOW, UTC)
    assert parse(when.words, NOW, UTC) == when


@given(st.integers(0, 365 * 1440), st.integers(0, 23), st.integers(0, 59))
def test_a_time_is_the_next_at_which_the_clock_shows_it(at: int, hour: int, minute: int) -> None:
    """Against a clock that is looked at every minute, for zones that change their clocks in either half of the year."""
    for zone in (BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")):
        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=at)
        found = parse(f"{hour}:{minute:02}", start, zone).moment
        shown = found.astimezone(zone)
        assert start < found <= start + timedelta(hours=50)
        if (shown.hour, shown.minute) == (hour, minute):
            looks = (start + timedelta(minutes=n) for n in range(1, int((found - start) / timedelta(minutes=1))))
            assert all((look.hour, look.minute) != (hour, minute) for look in (one.astimezone(zone) for one in looks))


@given(st.text(max_size=60))
def test_nothing_that_is_typed_does_anything_else(text: str) -> None:
    try:
        said = str(NOW <= parse(text, NOW, BERLIN).moment <= NOW + LONGEST)
    except ValueError as error:
        said = str(error)
    assert said == "True" or said.endswith(".")
