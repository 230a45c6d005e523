"""What a batch decides: who is left out, how many more begin, when it stops, when it is over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.batches import BATCHED, Counts, LeftOut, Target, end_of, room, stops, unable

ALL = ("start", "stop", "restart", "say", "mods")
numbers = st.integers(0, 300)
counts = st.builds(Counts, numbers, numbers, numbers, numbers, numbers, numbers, numbers)


@pytest.mark.parametrize(
    ("action", "target", "words"),
    [
        ("restart", Target("running", True, ALL), ""),
        ("restart", Target("crashed", True, ALL), ""),
        ("restart", Target("unknown", False, ALL), ""),
        ("restart", Target("stopped", True, ALL), "it is stopped, and a restart would start it"),
        ("restart", Target("stopping", True, ALL), "it is stopping, and a restart would start it"),
        ("restart", Target("running", True, ("start", "stop")), "its game cannot restart here"),
        ("restart", Target("installing", True, ALL), "it is not set up yet"),
        ("stop", Target("running", True, ALL), ""),
        ("stop", Target("crashed", True, ALL), ""),
        ("stop", Target("stopped", True, ALL), "it is stopped already"),
        ("start", Target("stopped", True, ALL), ""),
        ("start", Target("running", True, ALL), "it is running already"),
        ("start", Target("running", False, ALL), ""),
        ("announce", Target("running", True, ALL), ""),
        ("announce", Target("stopped", True, ALL), "it is stopped"),
        ("announce", Target("running", False, ALL), "its host is offline"),
        ("announce", Target("running", True, ("start",)), "its game cannot say here"),
        ("deploy", Target("stopped", True, ALL), ""),
        ("deploy", Target("install_failed", True, ALL), "it is not set up yet"),
    ],
)
def test_what_makes_no_sense_there(action: str, target: Target, words: str) -> None:
    assert unable(BATCHED[action], target) == words


@given(counts, st.integers(1, 50))
def test_never_more_are_under_way_than_asked_and_none_waits_in_vain(now: Counts, parallel: int) -> None:
    free = room(now, parallel)
    assert 0 <= free <= now.held
    assert free == 0 or now.under_way + free <= parallel
    assert free == now.held or now.under_way + free >= parallel


@given(counts, st.booleans())
def test_it_is_over_when_nothing_waits_or_is_under_way(now: Counts, stopped: bool) -> None:
    live = now.held + now.queued + now.running
    assert end_of(now, stopped=stopped) == (None if live else "cancelled" if stopped else "done")


@given(counts)
def test_it_stops_only_where_something_failed_and_something_waits(now: Counts) -> None:
    assert not stops(now, stop_on_failure=False)
    assert stops(now, stop_on_failure=True) == (now.failed + now.expired > 0 and now.held > 0)


def test_what_was_left_out_is_kept_as_it_was() -> None:
    left = LeftOut("1", "EU #1", "held", "held by ann for 2 hours: new map")
    assert LeftOut.load(left.dump()) == left
