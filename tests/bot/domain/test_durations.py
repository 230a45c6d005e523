"""Durations, as people type them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.durations import compact, parse, rough, spoken


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("1d 12h", timedelta(days=1, hours=12)),
        ("1d12h", timedelta(days=1, hours=12)),
        (" 3 Days ", timedelta(days=3)),
        ("2 weeks 1 hour", timedelta(weeks=2, hours=1)),
        ("10 minutes", timedelta(minutes=10)),
        ("3660d", timedelta(days=3660)),
        ("1mo 1 day", timedelta(days=31)),
        ("2 years", timedelta(days=730)),
    ],
)
def test_what_is_understood(text: str, duration: timedelta) -> None:
    assert parse(text) == duration


@pytest.mark.parametrize("text", ["yesterday", "7", "d", "-7d", "7d ago", "1.5h", "7ys", "7d, 2h", "123456d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse(text)


@pytest.mark.parametrize("text", ["", "0s", "0d 0h", "3661d", "99999w", "99999y" * 100])
def test_what_is_of_no_use(text: str) -> None:
    with pytest.raises(ValueError, match="is not a usable duration"):
        parse(text)


@given(st.lists(st.tuples(st.integers(0, 99999), st.sampled_from("smhdw")), min_size=1, max_size=6))
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    total = timedelta(seconds=sum(number * seconds[unit] for number, unit in parts))
    text = " ".join(f"{number}{unit}" for number, unit in parts)
    if timedelta() < total <= timedelta(days=3660):
        assert parse(text) == total
    else:
        with pytest.raises(ValueError):
            parse(text)


@given(st.text())
def test_a_refusal_repeats_little_of_what_was_typed(text: str) -> None:
    try:
        said = str(timedelta() < parse(text) <= timedelta(days=3660))
    except ValueError as error:
        said = str(error)
    assert said == "True" or (said.endswith("duration.") and len(said) < 80)


def test_as_they_are_told() -> None:
    assert [spoken(timedelta(seconds=n)) for n in (0, 1, 90, 3600, 90061)] == [
        "0 seconds",
        "1 second",
        "1 minute 30 seconds",
        "1 hour",
        "1 day 1 hour 1 minute 1 second",
    ]
    assert [compact(timedelta(minutes=n)) for n in (0, 1, 90, 120)] == ["0 s", "1 min", "1 h 30 min", "2 h"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 seconds"),
        (0.4, "0 seconds"),
        (1, "1 second"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (7199, "119 minutes"),
        (7200, "2 hours"),
        (172_799, "47 hours"),
        (172_800, "2 days"),
        (86_400 * 400, "400 days"),
    ],
)
def test_how_long_ago(seconds: float, words: str) -> None:
    assert rough(timedelta(seconds=seconds)) == words
