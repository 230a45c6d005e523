"""What players are told when, and what becomes of a plan."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import power
from bot.domain.power import Plan, Seen, next_step

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def told(minutes_left: float, reason: str = "", *, opening: str = "now", warn: Any = power.WARNINGS) -> list[Any]:
    """(minutes from now, text) of a countdown."""
    due = NOW + minutes_left * MINUTE
    said = power.announcements("restart", due, reason, warn, NOW, opening=opening)
    return [((one.at - NOW) / MINUTE, one.text) for one in said]


def test_a_countdown_of_a_quarter_of_an_hour() -> None:
    assert told(15, "update", opening="Restart in 15 minutes: update") == [
        (0, "Restart in 15 minutes: update"),
        (5, "Restart in 10 minutes: update"),
        (10, "Restart in 5 minutes: update"),
        (14, "Restart in 1 minute: update"),
    ]


@pytest.mark.parametrize(
    ("minutes", "opening", "at"),
    [
        (30, "now", [0, 15, 20, 25, 29]),
        (16, "", [1, 6, 11, 15]),  # what was told long ago goes on
        (15.25, "now", [0, 5.25, 10.25, 14.25]),  # the beginning says as much as the first warning would
        (5, "now", [0, 4]),
        (1, "now", [0]),
        (0.5, "now", [0]),
        (0.5, "", []),
        (-3, "", []),
    ],
)
def test_warnings_that_fit(minutes: float, opening: str, at: list[float]) -> None:
    assert [moment for moment, _ in told(minutes, opening=opening)] == at


def test_words_for_players() -> None:
    assert power.opening("stop", NOW + 5 * 60 * MINUTE, "", NOW) == "Shutdown in 5 hours"
    assert power.opening("restart", None, "update", NOW) == "Restart as soon as nobody is on: update"
    assert power.postponed("restart", 25 * MINUTE, "update") == "Restart postponed. Restart in 25 minutes: update"
    assert power.called_off("stop") == "Shutdown cancelled"
    assert power.countdown("restart", timedelta(seconds=45), "") == "Restart in 45 seconds"
    assert power.told_before("restart", NOW + 15 * MINUTE, power.WARNINGS, NOW) == "10, 5 and 1 minutes"
    assert power.told_before("restart", NOW + 2 * MINUTE, power.WARNINGS, NOW) == "1 minute"
    assert power.told_before("restart", NOW + MINUTE, power.WARNINGS, NOW) == ""


@pytest.mark.parametrize("reason", ["a\nshutdown", "a\r\n\x00b", "\u202ea", "x" * 5000, "  a   b  "])
def test_a_reason_is_one_line_that_a_console_takes(reason: str) -> None:
    text = power.countdown("restart", 5 * MINUTE, reason)
    assert text.isprintable()
    assert len(text) <= 200


AT = Plan("restart", NOW + 60 * MINUTE, None, power.WARNINGS)
EMPTY = Plan("restart", None, NOW + 120 * MINUTE, power.WARNINGS)
PEOPLE = Seen(players=2)
EMPTIED = Seen(players=0)


@pytest.mark.parametrize(
    ("plan", "seen", "after", "step", "reason"),
    [
        # at a time
        (AT, PEOPLE, 0, "wait", "its time has not come"),
        (AT, PEOPLE, 43.9, "wait", "its time has not come"),
        (AT, PEOPLE, 44, "count", "its countdown begins"),
        (AT, replace(PEOPLE, fresh=False), 44, "count", "its countdown begins"),
        (AT, replace(PEOPLE, players=None), 44, "count", "its countdown begins"),
        (AT, replace(PEOPLE, status="crashed"), 44, "count", "its countdown begins"),
        (AT, replace(PEOPLE, busy="J-9 is under way"), 44, "wait", "J-9 is under way"),
        (AT, replace(PEOPLE, overtaken="J-9 came first"), 10, "wait", "its time has not come"),
        (AT, PEOPLE, 74, "count", "its countdown begins"),
        (AT, PEOPLE, 75, "expire", "it could not be begun in time"),
        (AT, replace(PEOPLE, busy="J-9 is under way"), 75, "expire", "J-9 is under way"),
        (replace(AT, warn_minutes=[]), PEOPLE, 58, "wait", "its time has not come"),
        (replace(AT, warn_minutes=[]), PEOPLE, 59, "count", "its countdown begins"),
        (AT, replace(PEOPLE, job="waiting"), 50, "wait", "counting down"),
        (AT, replace(PEOPLE, job="waiting"), 80, "wait", "counting down"),
        (AT, replace(PEOPLE, job="due"), 60, "begin", "under way"),
        (AT, replace(PEOPLE, job="running"), 60, "begin", "under way"),
        (replace(AT, begun=True), replace(PEOPLE, job="running"), 61, "wait", "under way"),
        (AT, replace(PEOPLE, job="ended"), 61, "end", "its job has ended"),  # and is not done again
        (replace(EMPTY, begun=True), replace(EMPTIED, job="ended"), 1, "end", "its job has ended"),
        # what ends it before its time
        (AT, replace(PEOPLE, gone="its server was removed"), 0, "cancel", "its server was removed"),
        (AT, replace(PEOPLE, held="it was held"), 0, "cancel", "it was held"),
        (AT, replace(PEOPLE, held="it was held", job="waiting"), 50, "cancel", "it was held"),
        (AT, replace(PEOPLE, status="stopped", job="waiting"), 50, "cancel", "it was stopped meanwhile"),
        (replace(AT, action="stop"), Seen(status="stopped"), 50, "cancel", "it was stopped already"),
        (AT, Seen(status="stopped", fresh=False), 50, "count", "its countdown begins"),  # nobody knows that
        # what is under way goes on
        (AT, replace(PEOPLE, held="it was held", job="running"), 60, "begin", "under way"),
        (replace(AT, begun=True), Seen(status="stopped", job="running"), 60, "wait", "under way"),
        # as soon as nobody is on
        (EMPTY, PEOPLE, 0, "wait", "2 players are still on"),
        (EMPTY, Seen(players=1), 0, "wait", "1 player is still on"),
        (EMPTY, EMPTIED, 0, "act", "nobody is on"),
        (EMPTY, EMPTIED, 120, "act", "nobody is on"),
        (EMPTY, Seen(players=None), 0, "wait", "nobody knows how many are on"),
        (EMPTY, replace(EMPTIED, fresh=False), 0, "wait", "nobody knows how many are on"),
        (EMPTY, replace(EMPTIED, status="starting"), 0, "wait", "it is starting"),
        (EMPTY, replace(EMPTIED, busy="J-9 is under way"), 0, "wait", "J-9 is under way"),
        (EMPTY, PEOPLE, 119.9, "wait", "2 players are still on"),
        (EMPTY, PEOPLE, 120, "expire", "2 players are still on"),
        (EMPTY, Seen(players=None), 120, "expire", "nobody knows how many are on"),
        (EMPTY, replace(PEOPLE, overtaken="J-9 came first"), 0, "cancel", "J-9 came first"),
        (EMPTY, Seen(status="stopped"), 0, "cancel", "it was stopped meanwhile"),
        (EMPTY, replace(EMPTIED, held="it was held"), 0, "cancel", "it was held"),
        (EMPTY, replace(EMPTIED, job="due"), 1, "begin", "under way"),
    ],
)
def test_what_becomes_of_a_plan(plan: Plan, seen: Seen, after: float, step: str, reason: str) -> None:
    found = next_step(plan, seen, NOW + after * MINUTE)
    assert (found.step, found.reason) == (step, reason)


@pytest.mark.parametrize("status", ["unknown", "installing", "starting", "stopping", "crashed"])
def test_a_server_that_is_not_up_is_never_taken_for_empty(status: str) -> None:
    assert next_step(EMPTY, Seen(status=status, players=0), NOW).step == "wait"
