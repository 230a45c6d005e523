"""`/setup check`, judged: hosts, messages, background work, database, audit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain import checks
from bot.domain.checks import PERMISSION, Finding, Fix, Mend, State, Topic, broken, fine, note
from bot.domain.checks_access import AuditFacts, audit
from bot.domain.checks_hosts import HostFact, hosts, is_older
from bot.domain.checks_inside import (
    DatabaseFacts,
    FailedTick,
    OutboxFacts,
    Slow,
    StuckJob,
    TickFact,
    database,
    messages,
    work,
)
from bot.domain.permissions import PERMISSIONS

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
GIB = 2**30
HOST = HostFact("alpha", "online", None, True, "1.2.0", 0.1, 0.5, 2, 0)
DATABASE = DatabaseFacts(
    version="18.1",
    embedded=True,
    bytes=GIB,
    connections=7,
    most_connections=100,
    round_trip_ms=0.4,
    skew_sec=0.01,
    revision="bb",
    revisions=["aa", "bb"],
    slow=[],
    orphaned=[],
)
QUIET = OutboxFacts(0, None, 0, None)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def wrong(findings: Any) -> list[tuple[State, str]]:
    """State and words of what is not fine."""
    return [(one.state, one.what) for one in findings if one.state is not State.FINE]


def test_the_worst_comes_first_then_by_topic() -> None:
    findings = [
        note(Topic.DATABASE, "d", "x"),
        fine(Topic.BOT, "b"),
        broken(Topic.HOSTS, "h", "x"),
        note(Topic.CHANNELS, "c", "x"),
        broken(Topic.CHANNELS, "C", "x"),
        fine(Topic.BOT, "B"),
    ]
    assert [finding.what for finding in checks.problems(findings)] == ["C", "h", "c", "d"]
    assert checks.folded(findings) == [(Topic.BOT, "b · B")]


def test_everything_that_can_be_mended_needs_a_permission_that_exists() -> None:
    assert set(PERMISSION) == set(Mend)
    assert set(PERMISSION.values()) <= PERMISSIONS.keys()


@pytest.mark.parametrize(
    ("changed", "state", "words"),
    [
        ({"status": "offline", "silent_since": ago(hours=3)}, State.BROKEN, "**alpha** is silent for 3 hours."),
        (
            {"status": "offline", "silent_since": ago(minutes=5), "waiting": 1},
            State.BROKEN,
            "**alpha** is silent for 5 minutes; 1 job waits for it.",
        ),
        (
            {"status": "offline", "silent_since": ago(seconds=130), "waiting": 4},
            State.BROKEN,
            "**alpha** is silent for 2 minutes; 4 jobs wait for it.",
        ),
        ({"status": "unknown", "silent_since": None}, State.NOTE, "**alpha** has not connected yet."),
        ({"paired": False, "status": "offline"}, State.NOTE, "**alpha** is shut out."),
        ({"agent_version": "1.1.9"}, State.NOTE, "**alpha** has agent 1.1.9, the bot is 1.2.0."),
        ({"skew_sec": 10.0}, State.NOTE, "The clock of **alpha** is 10 seconds ahead."),
        ({"skew_sec": -59.9}, State.NOTE, "The clock of **alpha** is 59 seconds behind."),
        ({"skew_sec": -7200.0}, State.BROKEN, "The clock of **alpha** is 2 hours behind."),
        ({"disk_used": 0.93}, State.NOTE, "The disk of **alpha** is 93% full."),
        ({"servers": 0}, State.NOTE, "There is no game server."),
    ],
)
def test_a_host(changed: dict[str, Any], state: State, words: str) -> None:
    assert wrong(hosts([replace(HOST, **changed)], "1.2.0", NOW)) == [(state, words)]


@pytest.mark.parametrize(
    "changed", [{}, {"skew_sec": None}, {"skew_sec": 9.9}, {"agent_version": None}, {"disk_used": None}]
)
def test_a_host_that_is_well(changed: dict[str, Any]) -> None:
    findings = list(hosts([replace(HOST, **changed)], "1.2.0", NOW))
    assert findings == [fine(Topic.HOSTS, "alpha online, on time")]


def test_several_hosts_and_none() -> None:
    idle = replace(HOST, name="beta", servers=0)
    assert [finding.what for finding in hosts([HOST, idle], "1.2.0", NOW)] == [
        "alpha, beta online, on time",
        "without servers: beta",
    ]
    assert wrong(hosts([], "1.2.0", NOW)) == [(State.NOTE, "There is no host.")]


@pytest.mark.parametrize(
    ("agent", "bot", "older"),
    [
        ("1.2.0", "1.2.0", False),
        ("1.2.0", "1.10.0", True),
        ("1.10.0", "1.2.0", False),
        ("1.2.0.dev3", "1.2.0", False),
        ("0.9", "1.0.0", True),
        ("", "1.0", False),
        (None, "1.0", False),
        ("nightly", "1.0", False),
        ("9" * 60, "1.0", False),
    ],
)
def test_versions(agent: str | None, bot: str, older: bool) -> None:
    assert is_older(agent, bot) is older


@pytest.mark.parametrize(
    ("outbox", "expected"),
    [
        (QUIET, []),
        (OutboxFacts(3, ago(seconds=100), 0, None), []),
        (OutboxFacts(1, ago(minutes=5), 0, None), [(State.NOTE, "1 message waits for 5 minutes.")]),
        (
            OutboxFacts(40, ago(hours=2), 0, "Discord said 429: slow *down*"),
            [
                (
                    State.BROKEN,
                    "40 messages wait for 2 hours. Discord's last word: Discord said 429: slow \\*down\\*.",
                )
            ],
        ),
        (OutboxFacts(0, None, 1, None), [(State.NOTE, "1 message was given up within a day.")]),
        (OutboxFacts(0, None, 5, None), [(State.NOTE, "5 messages were given up within a day.")]),
    ],
)
def test_the_outbox(outbox: OutboxFacts, expected: list[tuple[State, str]]) -> None:
    findings = list(messages(outbox, [], NOW))
    assert wrong(findings) == expected
    if outbox.failed:
        assert [one.fix for one in findings if one.fix] == [Fix(Mend.SEND, "Send again")]


def test_jobs_that_nobody_takes() -> None:
    stuck = [StuckJob(7, "alpha", ago(minutes=20)), StuckJob(9, "beta", ago(minutes=6))]
    assert wrong(messages(QUIET, stuck[:1], NOW)) == [
        (State.BROKEN, "J-7 waits for 20 minutes although alpha is online.")
    ]
    assert "J-7 and 1 more" in wrong(messages(QUIET, stuck, NOW))[0][1]


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("due", "is_late"),
    [(ago(seconds=-30), False), (ago(minutes=1), False), (ago(seconds=239), False), (ago(minutes=5), True)],
)
def test_a_tick_that_did_not_come(due: datetime, *, is_late: bool) -> None:
    findings = list(work([TickFact("bans.expire", MINUTE, due, failed=False)], [], NOW))
    assert bool(wrong(findings)) is is_late
    if is_late:
        assert wrong(findings) == [(State.BROKEN, "`bans.expire` should have run 5 minutes ago.")]
        assert findings[0].fix == Fix(Mend.TICK, "Do it now", "bans.expire")


@pytest.mark.parametrize(
    ("failed_last", "expected"),
    [
        (True, (State.BROKEN, "`bans.expire` failed 3 times within the hour, and when it last ran.")),
        (False, (State.NOTE, "`bans.expire` failed 3 times within the hour.")),
    ],
)
def test_a_tick_that_failed(failed_last: bool, expected: tuple[State, str]) -> None:
    tick = TickFact("bans.expire", MINUTE, NOW, failed=failed_last)
    findings = list(work([tick], [FailedTick("bans.expire", 3)], NOW))
    assert wrong(findings) == [expected]
    assert findings[0].fix == (Fix(Mend.TICK, "Try it now", "bans.expire") if failed_last else None)


def test_a_tick_that_failed_and_is_late_is_named_once() -> None:
    late = TickFact("bans.expire", MINUTE, ago(hours=1), failed=True)
    assert [one.fix for one in work([late], [FailedTick("bans.expire", 3)], NOW)] == [
        Fix(Mend.TICK, "Do it now", "bans.expire")
    ]


def test_a_tick_of_another_process_cannot_be_done_here() -> None:
    (finding,) = work([], [FailedTick("of.another.version", 1)], NOW)
    assert finding.state is State.BROKEN and finding.fix is None and "failed once" in finding.what


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"revision": "aa"}, [(State.BROKEN, "The schema is older than this program.")]),
        ({"revision": "cc"}, [(State.NOTE, "The schema is newer than this program.")]),
        ({"round_trip_ms": 80.4}, [(State.NOTE, "A round trip to the database takes 80 ms.")]),
        ({"skew_sec": -2.5}, [(State.NOTE, "The clocks of bot and database differ by 2 seconds.")]),
        ({"skew_sec": 300.0}, [(State.BROKEN, "The clocks of bot and database differ by 5 minutes.")]),
        ({"connections": 80}, [(State.NOTE, "80 of 100 connections are in use.")]),
        ({"orphaned": ["shard:0"]}, [(State.BROKEN, "No process has taken over shard:0.")]),
    ],
)
def test_the_database(changed: dict[str, Any], expected: list[tuple[State, str]]) -> None:
    assert wrong(database(replace(DATABASE, **changed), 100 * GIB)) == expected


def test_the_slowest_statements_are_named() -> None:
    slow = [Slow("audit.search", 3, 812.4), Slow("panels.servers", 1, 230.0)]
    words = checks.folded(list(database(replace(DATABASE, slow=slow), 100 * GIB)))[0][1]
    assert "PostgreSQL 18.1, its own, 1.0 GiB" in words
    assert "slowest since the start: `audit.search` 812 ms ×3, `panels.servers` 230 ms ×1" in words


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (100 * GIB, []),
        (GIB, [(State.NOTE, "1.0 GiB are free in the data directory.")]),
        (100 * 2**20, [(State.BROKEN, "100.0 MiB are free in the data directory.")]),
        (None, [(State.NOTE, "The data directory cannot be looked at.")]),
    ],
)
def test_the_disk(free: int | None, expected: list[tuple[State, str]]) -> None:
    assert wrong(database(DATABASE, free)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (AuditFacts(None, 0, None), []),
        (AuditFacts(ago(seconds=50), 9, None), []),
        (AuditFacts(ago(hours=2), 9, ago(days=1)), [(State.BROKEN, "Rows of the last 2 hours are not sealed.")]),
    ],
)
def test_the_audit_log(facts: AuditFacts, expected: list[tuple[State, str]]) -> None:
    assert wrong(audit(facts, NOW)) == expected


def test_when_somebody_last_compared() -> None:
    def said(facts: AuditFacts) -> str:
        return " · ".join(finding.what for finding in audit(facts, NOW))

    assert said(AuditFacts(None, 0, None)) == "the first seal comes within minutes"
    assert said(AuditFacts(None, 1, None)) == "sealed up to now, 1 seal · not checked yet: `/audit verify`"
    assert said(AuditFacts(None, 9, ago(days=3))) == "sealed up to now, 9 seals · last checked 3 days ago"
    assert "not checked for 40 days" in said(AuditFacts(None, 9, ago(days=40)))


def test_every_problem_has_its_remedy() -> None:
    everything: list[Finding] = [
        *hosts([replace(HOST, status="offline", silent_since=NOW), replace(HOST, skew_sec=99.0)], "2.0", NOW),
        *messages(OutboxFacts(1, ago(hours=2), 1, "x"), [StuckJob(1, "a", NOW)], NOW),
        *work([TickFact("a", MINUTE, ago(hours=1), failed=True)], [FailedTick("b", 1)], NOW),
        *database(replace(DATABASE, skew_sec=60, round_trip_ms=999, revision=None, orphaned=["shard:1"]), 5),
    ]
    problems = checks.problems(everything)
    assert len(problems) > 10
    assert [one for one in problems if not one.remedy or "\n" in one.what + one.remedy] == []
