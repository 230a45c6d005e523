"""Until when a schedule rests, as people type it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.until import parse

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
"""A Saturday, 10:30 in Berlin."""


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2d", "2026-11-23 10:30"),
        ("for 90m", "2026-11-21 12:00"),
        ("1w", "2026-11-28 10:30"),
        ("18:00", "2026-11-21 18:00"),
        ("until 9", "2026-11-22 09:00"),
        ("10:30", "2026-11-22 10:30"),
        ("tomorrow", "2026-11-22 00:00"),
        ("tomorrow at 8 pm", "2026-11-22 20:00"),
        ("today 23:00", "2026-11-21 23:00"),
        ("friday", "2026-11-27 00:00"),
        ("saturday", "2026-11-28 00:00"),
        ("saturday 18:00", "2026-11-21 18:00"),
        ("saturday 10:30", "2026-11-28 10:30"),
        ("next saturday 18:00", "2026-11-28 18:00"),
        ("2 months", "2027-01-20 10:30"),
        ("until next sun 18:00", "2026-11-22 18:00"),
        ("2026-12-24", "2026-12-24 00:00"),
        ("2026-12-24 6:30pm", "2026-12-24 18:30"),
    ],
)
def test_what_is_understood(text: str, local: str) -> None:
    assert f"{parse(text, NOW, BERLIN).astimezone(BERLIN):%Y-%m-%d %H:%M}" == local


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "soon is no moment"),
        ("until", "until is no moment"),
        ("friday noonish", "is no moment"),
        ("weekdays", "is no moment"),
        ("2026-02-30", "is no moment"),
        ("25:00", "is no moment"),
        ("2026-11-20", "is over"),
        ("today", "is over"),
        ("500d", "more than a year ahead"),
        ("2099-01-01", "more than a year ahead"),
        ("@everyone " * 300_000, "@\u200beveryone"),
    ],
)
def test_what_is_no_moment_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse(text, NOW, BERLIN)
    assert words in str(refused.value) and len(str(refused.value)) < 200


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(("text", "words"), [("0001-01-01", "is over"), ("9999-12-31 23:59", "a year ahead")])
def test_the_ends_of_the_calendar(text: str, words: str, zone: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(text, NOW, ZoneInfo(zone))


def test_a_moment_is_in_utc() -> None:
    assert parse("1h", NOW, BERLIN) == NOW + timedelta(hours=1)
    assert parse("18:00", NOW, BERLIN).tzinfo is UTC
