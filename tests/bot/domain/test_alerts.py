"""Transitions of alerts: a table of each, and what must hold for every sequence of observations."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerts import CLEAR, LEAST_REPEAT, Decision, Observation, State, Watch, decide

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
WATCH = Watch(timedelta(seconds=10), timedelta(minutes=5))
Seen = Literal["match", "clear", "unclear"]


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def sight(seen: Seen = "match", **values: Any) -> Observation:
    return Observation(seen, "why", **values)


def step(state: State, seen: Seen, watch: Watch = WATCH, **values: Any) -> str:
    return decide(watch, state, sight(seen, **values), NOW).step


PENDING = State("pending", ago(5))
FIRING = State("firing", notified_at=ago(20), incident="live")


@pytest.mark.parametrize(
    ("state", "seen", "wanted"),
    [
        (State(), "clear", "stay"),
        (State(), "unclear", "stay"),
        (State(), "match", "wait"),
        (PENDING, "match", "stay"),
        (PENDING, "clear", "drop"),
        (PENDING, "unclear", "drop"),
        (State("pending", ago(10)), "match", "fire"),
        (FIRING, "match", "seen"),
        (State("firing", notified_at=ago(300), incident="live"), "match", "again"),
        (State("firing", notified_at=ago(300), incident="closed", closed_at=ago(1)), "match", "seen"),
        (FIRING, "unclear", "stay"),
        (FIRING, "clear", "clearing"),
        (State("firing", clear_since=ago(14.9), incident="live"), "clear", "stay"),
        (State("firing", clear_since=ago(15), incident="live"), "clear", "resolve"),
        (State("firing", clear_since=ago(14), notified_at=ago(20), incident="live"), "match", "seen"),
        (State("firing", clear_since=ago(14), incident="live"), "unclear", "unsure"),
        (State("resolved", incident="closed", closed_at=ago(400)), "match", "wait"),
        (State("resolved", incident="closed", closed_at=ago(400)), "clear", "stay"),
        (State("pending", ago(10), incident="closed", closed_at=ago(299)), "match", "reopen"),
        (State("pending", ago(10), incident="closed", closed_at=ago(300)), "match", "fire"),
        (State("pending", ago(10), incident="live"), "match", "rejoin"),
    ],
)
def test_steps(state: State, seen: Seen, wanted: str) -> None:
    assert step(state, seen) == wanted


def test_what_happens_at_once_does_not_wait() -> None:
    assert step(State(), "match", at_once=True) == "fire"
    assert step(PENDING, "match", at_once=True) == "fire"
    assert step(State(), "match", Watch(timedelta(), timedelta())) == "fire"
    assert step(State("resolved", incident="closed", closed_at=ago(1)), "match", at_once=True) == "reopen"


def test_one_report_alone_is_not_believed() -> None:
    """A report that was sent before a start may arrive after it."""
    state = State("pending", ago(60))
    assert step(state, "match", reported_at=ago(60)) == "stay"
    assert step(state, "match", reported_at=ago(59)) == "fire"


def test_a_short_cooldown_does_not_fill_the_timeline() -> None:
    hasty = Watch(timedelta(), timedelta())
    assert step(State("firing", notified_at=ago(59), incident="live"), "match", hasty) == "seen"
    assert step(State("firing", notified_at=ago(60), incident="live"), "match", hasty) == "again"


def test_the_reason_travels_with_the_decision() -> None:
    assert decide(WATCH, State(), sight(), NOW).reason == "why"


# ------------------------------------------------------------------------------------------- every possible sequence

_seen = st.sampled_from(["match", "clear", "unclear"])
_story = st.lists(st.tuples(_seen, st.booleans(), st.integers(1, 40)), max_size=60)
_watch = st.builds(
    Watch,
    st.integers(0, 60).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(0, 600).map(lambda seconds: timedelta(seconds=seconds)),
)


def played(watch: Watch, story: list[tuple[Seen, bool, int]]) -> list[tuple[datetime, Observation, State, Decision]]:
    """The decisions of a story of (what was seen, at once, seconds since the last look)."""
    state, at, told = State(), NOW, list[tuple[datetime, Observation, State, Decision]]()
    for seen, at_once, seconds in story:
        at += timedelta(seconds=seconds)
        observed = sight(seen, at_once=at_once)
        decision = decide(watch, state, observed, at)
        told.append((at, observed, state, decision))
        state = decision.state
    return told


@given(_watch, _story)
def test_it_fires_after_it_matched_without_a_break_and_only_then(watch: Watch, story: list[Any]) -> None:
    since: datetime | None = None
    for at, observed, state, decision in played(watch, story):
        since = None if observed.seen != "match" else since or at
        fires = decision.step in ("fire", "reopen", "rejoin")
        if state.status != "firing":
            due = observed.seen == "match" and (observed.at_once or (since is not None and at - since >= watch.wait))
            assert fires is due
        else:
            assert not fires
        assert (decision.state.status == "firing") is (
            fires or (state.status == "firing" and decision.step != "resolve")
        )


@given(_watch, _story)
def test_it_ends_only_after_it_was_clear_long_enough(watch: Watch, story: list[Any]) -> None:
    since: datetime | None = None
    for at, observed, state, decision in played(watch, story):
        since = None if observed.seen != "clear" or state.status != "firing" else since or at
        ended = decision.step == "resolve"
        assert ended is (since is not None and at - since >= CLEAR)
        since = None if ended else since


@given(_watch, _story)
def test_a_timeline_grows_slowly_and_incidents_reopen_within_the_cooldown(watch: Watch, story: list[Any]) -> None:
    lines: list[datetime] = []
    ended: datetime | None = None
    for at, _, _, decision in played(watch, story):
        if decision.step == "again":
            assert at - lines[-1] >= max(watch.cooldown, LEAST_REPEAT)
        if decision.step == "reopen":
            assert ended is not None and at - ended < watch.cooldown
        if decision.step == "fire":
            assert ended is None or at - ended >= watch.cooldown
        if decision.step in ("fire", "reopen", "again"):
            lines.append(at)
        ended = at if decision.step == "resolve" else ended


@given(_watch, _story)
def test_nothing_is_said_about_what_stays(watch: Watch, story: list[Any]) -> None:
    for _, _, state, decision in played(watch, story):
        if decision.step == "stay":
            assert decision.state == state
