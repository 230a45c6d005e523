"""Steps of a schedule and the hours in which it may run, as people type them."""

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.schedules_steps import (
    Step,
    checked,
    lead,
    main,
    minutes_of,
    place_of,
    placed,
    warned,
    when,
    without,
)
from bot.domain.schedules_windows import Window, parse

RESTART, SAVE = Step("restart"), Step("console", "save")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("5", [5]),
        ("15, 5, 1", [15, 5, 1]),
        ("1 5 15", [15, 5, 1]),
        ("5m and 10 min", [10, 5]),
        ("none", []),
        ("", None),
    ],
)
def test_minutes_of_warnings(text: str, minutes: list[int] | None) -> None:
    assert minutes_of(text) == minutes


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (0, False)),
        ("after", (0, False)),
        ("before", (0, True)),
        ("right before", (0, True)),
        ("first", (0, True)),
        ("5 minutes before", (-300, True)),
        ("90s later", (90, False)),
        ("1h after", (3600, False)),
    ],
)
def test_places_of_steps(text: str, place: tuple[int, bool]) -> None:
    assert place_of(text) == place


@pytest.mark.parametrize("text", ["61", "5, soon", "-5", "5,,5", "9" * 300])
def test_what_are_no_minutes(text: str) -> None:
    with pytest.raises(ValueError, match="it takes minutes from 1 to 60"):
        minutes_of(text)


@pytest.mark.parametrize("text", ["soon", "5", "2h before", "before 5", "9999999999 days after"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        place_of(text)
    assert str(refused.value).endswith(".")


def test_steps_stand_in_the_order_in_which_they_are_done() -> None:
    steps = warned([RESTART], [15, 5])
    steps = placed(steps, SAVE, before=True)
    steps = placed(steps, Step("announce", "Hi", 120), before=False)
    assert [(step.action, when(step.offset)) for step in steps] == [
        ("announce", "15 min before"),
        ("announce", "5 min before"),
        ("console", "at its time"),
        ("restart", "at its time"),
        ("announce", "2 min after"),
    ]
    assert lead(steps) == 900 and main(steps) is RESTART and checked(steps) == steps
    assert [step.text for step in warned(steps, [1]) if step.is_warning] == ["Restart in 1 minute"]


def test_without_what_came_first_the_next_is_first() -> None:
    steps = [RESTART, Step("announce", "Hi", 120)]
    assert without(steps, 1) == [Step("announce", "Hi", 0)]
    with pytest.raises(ValueError, match="this is all that it does"):
        without([RESTART], 1)


def test_more_than_an_hour_is_refused() -> None:
    with pytest.raises(ValueError, match="an hour may pass at most"):
        checked([Step("announce", "Hi", -3600), Step("restart", "", 60)])


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("02:00-06:00", Window(time(2), time(6))),
        ("22 to 4", Window(time(22), time(4))),
        ("10pm – 6:30am", Window(time(22), time(6, 30))),
        ("between 2 and 6", Window(time(2), time(6))),
        ("18:00-24:00", Window(time(18), time(0))),
        ("0-24", None),
        ("00:00-24:00", None),
        ("none", None),
        ("", None),
    ],
)
def test_windows(text: str, window: Window | None) -> None:
    assert parse(text) == window


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2-2", "from 02:00 to 02:00 has no length"),
        ("24-24", "has no length"),
        ("0-0", "has no length"),
        ("at night", "is no window; it takes such as"),
        ("25:00-26:00", "is no window"),
        ("2-6-8", "is no window"),
    ],
)
def test_what_is_no_window(text: str, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse(text)
    assert words in str(refused.value)


@given(begin=st.times(), end=st.times(), moment=st.times())
def test_a_window_and_the_rest_of_the_day_are_the_day(begin: time, end: time, moment: time) -> None:
    if begin != end:
        assert Window(begin, end).holds(moment) is not Window(end, begin).holds(moment)


@given(st.text(max_size=40) | st.text(st.sampled_from("0123456789:-,to amp before after minutes"), max_size=30))
def test_whatever_is_typed_is_read_or_refused_with_a_sentence(text: str) -> None:
    for read in (parse, place_of, minutes_of):
        said = "."
        try:
            read(text)
        except ValueError as refused:
            said = str(refused)
        assert said.endswith(".")
