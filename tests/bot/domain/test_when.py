"""`when`, as people type it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.when import LONGEST, When, parse

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "minutes", "words"),
    [
        ("", 0, "now"),
        ("now", 0, "now"),
        (" NOW ", 0, "now"),
        ("at once", 0, "now"),
        ("in 0 minutes", 0, "now"),
        ("1m", 1, "in 1 minute"),
        ("in 1 minute", 1, "in 1 minute"),
        ("in 15 minutes", 15, "in 15 minutes"),
        ("IN 15 Min", 15, "in 15 minutes"),
        ("15 mins", 15, "in 15 minutes"),
        ("2h", 120, "in 120 minutes"),
        ("in 24 hours", 1440, "in 1440 minutes"),
        ("1440m", 1440, "in 1440 minutes"),
    ],
)
def test_what_is_understood_and_echoed(text: str, minutes: int, words: str) -> None:
    when = parse(text)
    assert (when.delay, when.words, when.is_now) == (timedelta(minutes=minutes), words, minutes == 0)
    assert when.moment(NOW) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "in 5", "5", "-5m", "5.5m", "in 5 minutes ago", "in 0x10 minutes", "in five minutes", "m", "in"],
)
def test_what_is_not_understood_says_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"`now` or `in N minutes`, such as `in 15 minutes`"):
        parse(text)


@pytest.mark.parametrize("text", ["1441m", "25h", "in 9999 hours", "9999 minutes"])
def test_a_day_is_the_limit(text: str) -> None:
    with pytest.raises(ValueError, match="one day ahead at most"):
        parse(text)


@given(st.integers(0, 1440))
def test_what_is_echoed_is_understood_again(minutes: int) -> None:
    when = When(timedelta(minutes=minutes))
    assert parse(when.words) == when


@given(st.text(max_size=60))
def test_nothing_that_is_typed_does_anything_else(text: str) -> None:
    try:
        said = str(timedelta() <= parse(text).delay <= LONGEST)
    except ValueError as error:
        said = str(error)
    assert said == "True" or said.startswith("`when` ")
