"""What `/setup check` says of the processes."""

from dataclasses import replace

from bot.domain.checks import State
from bot.domain.checks_replicas import SHOWN, ReplicaFact, replicas

ROLES = ("bot", "http", "workers")
DUTIES = ("alerts", "jobs")
ONE = ReplicaFact("vm:one", roles=ROLES, shards=[0], leads=["alerts", "jobs"], silent_sec=0.26)


def said(*found: ReplicaFact) -> list[tuple[State, str]]:
    return [(finding.state, finding.what) for finding in replicas(found, ROLES, DUTIES)]


def test_one_that_does_everything() -> None:
    assert said(ONE) == [(State.FINE, "`vm:one` bot, http, workers; shard 0; leads everything (0.3 s ago)")]


def test_a_role_that_nobody_has() -> None:
    bot, http = replace(ONE, roles=["bot"], leads=[], shards=[0, 2]), ReplicaFact("vm:two", ["http"], [], ["jobs"], 3)
    assert said(bot, http) == [
        (State.BROKEN, "No process has the role `workers`."),
        (State.FINE, "`vm:one` bot; shards 0, 2 (0.3 s ago)"),
        (State.FINE, "`vm:two` http; leads jobs (3.0 s ago)"),
    ]


def test_many_processes_and_odd_names() -> None:
    many = [replace(ONE, name=f"@everyone {number}") for number in range(SHOWN + 3)]
    *named, more = said(*many)
    assert len(named) == SHOWN and more == (State.FINE, "3 more")
    assert all("@everyone" not in words for _, words in named), named
