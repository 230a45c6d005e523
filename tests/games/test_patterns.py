"""Expressions of templates cannot hang the agent, and look at a bounded part of a record."""

import time

import pytest

from games.patterns import RECORD_MAX, Pattern


def test_groups_that_took_no_part_are_left_out() -> None:
    assert Pattern("(?P<a>x)|(?P<b>y)").groups("y") == {"b": "y"}
    assert Pattern("x").groups("y") is None
    assert Pattern("(?P<a>é+)").groups("ué👩é") == {"a": "é"}


@pytest.mark.parametrize("source", ["(?=x)", r"(a)\1", "(", "*"])
def test_what_can_run_for_ever_or_means_nothing_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="not a valid RE2 expression"):
        Pattern(source)


def test_a_hostile_record_costs_no_time() -> None:
    """Python's own expressions would need longer than the universe has."""
    started = time.monotonic()
    assert not Pattern(r"^(a+)+$").matches("a" * 1000 + "b")
    assert time.monotonic() - started < 1


def test_only_the_beginning_of_a_record_is_looked_at() -> None:
    assert Pattern("b").matches("a" * (RECORD_MAX - 1) + "b")
    assert not Pattern("b").matches("a" * RECORD_MAX + "b")
