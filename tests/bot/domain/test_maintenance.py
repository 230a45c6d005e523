"""Maintenance windows: what people may enter, what follows when, over both changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.maintenance import Target, Times, begins, ends, on_the_clock, said, target

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 28, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("everything", Target("everything", "")),
        (" Everything ", Target("everything", "")),
        ("host: gs-1", Target("host", "gs-1")),
        ("TAG:eu", Target("tag", "eu")),
        ("server:EU #1", Target("server", "EU #1")),
        ("EU #1", Target(None, "EU #1")),
        ("odd:thing", Target(None, "odd:thing")),
    ],
)
def test_what_is_meant(text: str, meant: Target) -> None:
    assert target(text) == meant


@pytest.mark.parametrize(
    ("start", "duration", "begin", "end"),
    [
        ("in 2h", "90m", datetime(2026, 3, 28, 14, tzinfo=UTC), datetime(2026, 3, 28, 15, 30, tzinfo=UTC)),
        ("tomorrow 18:00", "2h", datetime(2026, 3, 29, 16, tzinfo=UTC), datetime(2026, 3, 29, 18, tzinfo=UTC)),
        # the clock goes from 2 to 3 at night: an hour of work is an hour, and 4:00 is two hours after 1:00
        ("tomorrow 1:00", "2h", datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC)),
        ("tomorrow 1:00", "until 4:00", datetime(2026, 3, 29, 0, tzinfo=UTC), datetime(2026, 3, 29, 2, tzinfo=UTC)),
        # a time that does not exist is the one that the clock shows instead
        ("tomorrow 2:30", "1h", datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),
        # and in autumn, when 2:00 to 3:00 comes twice, 4:00 is four hours after 1:00
        ("2026-10-25 1:00", "4:00", datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)),
        ("2026-10-25 23:00", "1:00", datetime(2026, 10, 25, 22, tzinfo=UTC), datetime(2026, 10, 26, 0, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_times_in_a_zone(start: str, duration: str, begin: datetime, end: datetime) -> None:
    found = begins(start, NOW, BERLIN)
    assert found == begin
    assert ends(duration, found, BERLIN) == end


@pytest.mark.parametrize(
    ("duration", "sentence"),
    [
        ("0m", "is no time at all"),
        ("0h", "is no time at all"),
        ("0 days", "is no time at all"),
        ("-2h", "is no moment"),
        ("soon", "is no moment"),
        ("8d", "longer than 7 days"),
        ("2026-05-01", "longer than 7 days"),
        ("yesterday", "is no moment"),
        ("2026-03-27 10:00", "is over"),
        ("999999999999 days", "is no moment"),
    ],
)
def test_lengths_that_are_none(duration: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        ends(duration, NOW, BERLIN)
    assert ends("7d", NOW, BERLIN) == NOW + timedelta(days=7)
    assert ends("until 0:00", NOW, BERLIN) == NOW + timedelta(hours=11)


@pytest.mark.parametrize(
    ("start", "sentence"),
    [("2026-03-28 10:00", "is over"), ("2030-01-01", "year ahead"), ("x", "no moment"), ("", "no moment")],
)
def test_beginnings_that_are_none(start: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        begins(start, NOW, BERLIN)


def test_state_and_next_step_go_by_the_clock() -> None:
    planned = Times(NOW + HOUR, NOW + 2 * HOUR)
    moments = [(minutes, NOW + minutes * MINUTE) for minutes in (0, 49, 50, 60, 119, 120)]
    assert [(minutes, planned.state(moment), planned.step(moment)) for minutes, moment in moments] == [
        (0, "planned", None),
        (49, "planned", None),
        (50, "planned", "warn"),
        (60, "under way", "begin"),
        (119, "under way", "begin"),
        (120, "over", "end"),
    ]


def test_nothing_is_done_twice() -> None:
    warned = Times(NOW + MINUTE, NOW + HOUR, warned_at=NOW)
    assert warned.step(NOW) is None and warned.step(NOW + MINUTE) == "begin"
    begun = Times(NOW, NOW + HOUR, begun_at=NOW)
    assert begun.step(NOW) is None and begun.step(NOW + HOUR) == "end"
    over = Times(NOW, NOW + HOUR, begun_at=NOW, ended_at=NOW + HOUR)
    assert over.step(NOW + HOUR) is None and over.state(NOW + 2 * HOUR) == "over"
    early = Times(NOW, NOW + HOUR, begun_at=NOW, ended_at=NOW + MINUTE)
    assert early.step(NOW + MINUTE) is None and early.state(NOW + MINUTE) == "over"
    cancelled = Times(NOW + HOUR, NOW + 2 * HOUR, ended_at=NOW)
    assert cancelled.state(NOW + HOUR) == "cancelled" and cancelled.step(NOW + 3 * HOUR) is None


def test_what_players_are_told() -> None:
    times = Times(NOW + 10 * MINUTE, NOW + 130 * MINUTE)
    assert (
        said("warn", times, NOW + timedelta(seconds=14)) == "Maintenance begins in 10 minutes and takes up to 2 hours."
    )
    assert (
        said("begin", times, NOW + timedelta(minutes=10, seconds=9))
        == "Maintenance begins now and takes up to 2 hours."
    )
    over = Times(NOW - HOUR, NOW, begun_at=NOW - HOUR)
    assert said("end", over, NOW + MINUTE) == "Maintenance is over."
    assert said("end", over, NOW + HOUR) == "", "that was long ago"
    assert said("end", Times(NOW - HOUR, NOW), NOW) == "", "nobody has heard that it began"


def test_times_as_the_clock_shows_them() -> None:
    assert on_the_clock(NOW, NOW + 2 * HOUR, BERLIN) == "Sat 28 Mar 13:00 to 15:00"
    assert on_the_clock(NOW, NOW + 30 * HOUR, BERLIN) == "Sat 28 Mar 13:00 to Sun 29 Mar 20:00"
