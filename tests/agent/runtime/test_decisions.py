"""The pure decisions: what follows a crash, and who is meant by a kick."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.runtime.crash import Backoff, End, Policy, duration, judge
from agent.runtime.people import find
from games.consoles import PlayerRow
from games.sections.people import Identity

CRASH = End("exited with code 1", clean=False, uptime=3.0)
CLEAN = End("exited with code 0", clean=True, uptime=3.0)


def test_delays_double_up_to_the_longest_and_end() -> None:
    verdicts = [judge("on_crash", CRASH, streak, Backoff()) for streak in range(11)]
    assert [one.streak for one in verdicts] == list(range(1, 12))
    assert [one.restart_in for one in verdicts] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, None]
    assert "given up after 11 crashes in a row" in verdicts[-1].note


def test_a_game_that_was_up_for_ten_minutes_begins_a_new_row() -> None:
    late = End("ended by SIGSEGV", clean=False, uptime=600.0)
    verdict = judge("on_crash", late, 10, Backoff())
    assert (verdict.restart_in, verdict.streak, verdict.note) == (2.0, 1, "ended by SIGSEGV after 10 min")


@pytest.mark.parametrize(
    ("policy", "end", "crashed", "again"),
    [
        ("never", CRASH, True, False),
        ("never", CLEAN, False, False),
        ("on_crash", CRASH, True, True),
        ("on_crash", CLEAN, False, False),
        ("always", CRASH, True, True),
        ("always", CLEAN, True, True),
    ],
)
def test_policies(policy: Policy, end: End, crashed: bool, again: bool) -> None:
    verdict = judge(policy, end, 0, Backoff())
    assert (verdict.crashed, verdict.restart_in is not None) == (crashed, again)


@given(st.integers(0, 1000), st.floats(0, 1e6))
def test_the_delay_is_never_negative_nor_beyond_the_longest(streak: int, uptime: float) -> None:
    verdict = judge("always", End("ended", clean=False, uptime=uptime), streak, Backoff())
    assert verdict.restart_in is None or 0 < verdict.restart_in <= 300


@pytest.mark.parametrize(
    ("seconds", "words"), [(-1, "0 s"), (3.4, "3 s"), (119, "119 s"), (720, "12 min"), (18000, "5 h")]
)
def test_durations_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words


IDENTITY = Identity.model_validate(
    {
        "kinds": {
            "steam": {"pattern": r"^\d+$", "durable": True},
            "eos": {"pattern": "^[0-9a-f]+$", "durable": True},
            "ip": {"pattern": "ip", "durable": False},
        }
    }
)
ALICE = PlayerRow("alice", "1", {"steam": "11", "eos": "a1", "ip": "192.0.2.1"})
BOB = PlayerRow("bob", "2", {"steam": "22", "ip": "192.0.2.2"})
FAKE = PlayerRow("alice", "3", {"steam": "33", "eos": "c3", "ip": "192.0.2.3"})
TWIN = PlayerRow("bob", "4", {"steam": "44", "ip": "192.0.2.2"})


@pytest.mark.parametrize(
    ("wanted", "name", "slot", "reason"),
    [
        ({"steam": "11"}, "whatever", "1", ""),
        ({"steam": "11", "eos": "a1", "ip": "198.51.100.9"}, "alice", "1", ""),
        ({"eos": "unknown", "steam": "22"}, "bob", "2", ""),  # the game does not show bob's eos id
        ({"eos": "zz", "steam": "11"}, "alice", None, "another eos id"),
        ({"steam": "11", "eos": "c3"}, "alice", None, "2 players on the server match"),
        ({"steam": "99"}, "alice", None, "somebody else of that name is"),
        ({"steam": "99", "ip": "192.0.2.1"}, "alice", None, "is not on the server"),
        ({"ip": "192.0.2.1"}, "alice", "1", ""),
        ({"ip": "192.0.2.2"}, "bob", None, "2 players on the server match"),
        ({"ip": "192.0.2.1"}, "bob", None, "is not on the server"),
        ({}, "alice", None, "known by name only"),
        ({"slot": "1"}, "alice", None, "known by name only"),
    ],
)
def test_who_is_meant(wanted: dict[str, str], name: str, slot: str | None, reason: str) -> None:
    found = find(wanted, name, [ALICE, BOB, FAKE, TWIN], IDENTITY)
    assert (found.row.slot if found.row else None) == slot
    assert reason in found.reason
