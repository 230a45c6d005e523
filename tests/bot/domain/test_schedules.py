"""When a run is left out, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.actions import ACTIONS, OF_JOB_TYPE
from bot.domain.cron import checked
from bot.domain.jobs import JOBS
from bot.domain.schedules import LATE, Due, Target, around, left_out, skipped
from bot.domain.schedules_times import Timetable

NOW = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)
FOUR = datetime(2026, 11, 21, 4, tzinfo=UTC)
LATER = FOUR + timedelta(days=3, hours=1)
HOUR = timedelta(hours=1)


def due(**changed: Any) -> Due:
    values: dict[str, Any] = {"next_run_at": FOUR, "paused_until": None, "skip_next": 0, "catch_up": False}
    return Due(**{**values, **changed})


def outcome(schedule: Due, now: datetime = NOW, expression: str = "0 4 * * *") -> str:
    times = Timetable(checked(expression), UTC)
    skip = skipped(schedule, around(schedule, times, now)[0], times, now)
    return f"{skip.status}: {skip.reason}" if skip else ""


@pytest.mark.parametrize(
    ("schedule", "now", "words"),
    [
        (due(), NOW, ""),
        (due(), FOUR, ""),
        (due(), FOUR + LATE, ""),
        (due(), FOUR + LATE + timedelta(seconds=1), "skipped_missed: it was due 10 minutes ago, and nothing could be"),
        (due(), LATER, "skipped_missed: it was due 3 days ago, and nothing could be done then"),
        (due(catch_up=True), LATER, ""),
        (due(skip_next=2), NOW, "skipped: somebody asked for that"),
        (due(skip_next=1, catch_up=True), LATER, "skipped: somebody asked for that"),
        (due(paused_until=NOW), NOW, "skipped: it is paused"),
        (due(paused_until=FOUR), NOW, ""),
        (due(paused_until=FOUR + HOUR, catch_up=True), FOUR + 2 * HOUR, "skipped: it is paused"),
    ],
)
def test_a_run_as_a_whole(schedule: Due, now: datetime, words: str) -> None:
    said = outcome(schedule, now)
    assert said.startswith(words) and bool(said) == bool(words)


def test_after_a_long_silence_the_run_that_is_due_now_is_done() -> None:
    """The bot was away from 1:00 on and is back at 4:00: what was due in between is missed, this one is not."""
    schedule = due(next_run_at=FOUR - timedelta(hours=3))
    assert outcome(schedule, NOW, "0 * * * *") == ""
    assert outcome(schedule, NOW + timedelta(minutes=20), "0 * * * *").startswith("skipped_missed")
    paused = due(next_run_at=FOUR - timedelta(hours=3), paused_until=FOUR)
    assert outcome(paused, NOW, "0 * * * *") == "", "the run at 4 is not in the pause"


def target(**changed: Any) -> Target:
    values: dict[str, Any] = {
        "status": "running",
        "desired_state": "running",
        "host_online": True,
        "capabilities": ["restart", "say", "console"],
        "busy_with": None,
    }
    return Target(**{**values, **changed})


@pytest.mark.parametrize(
    ("action", "changed", "words"),
    [
        ("restart", {}, ""),
        ("restart", {"status": "crashed"}, ""),
        ("restart", {"status": "unknown", "host_online": False}, ""),  # it may come back within the job's 15 minutes
        ("restart", {"status": "running", "desired_state": "stopped"}, ""),
        ("restart", {"status": "stopped"}, "skipped_offline: it is stopped, and a restart would start it"),
        ("restart", {"status": "unknown", "desired_state": "stopped"}, "skipped_offline: it is not known to be up"),
        ("restart", {"status": "installing"}, "skipped_offline: it is installing, and a restart would start it"),
        ("restart", {"busy_with": 12}, "skipped_busy: J-12 is waiting or under way there"),
        ("announce", {}, ""),
        ("announce", {"status": "starting"}, ""),
        ("announce", {"status": "crashed"}, "skipped_offline: it is crashed"),
        ("announce", {"status": "unknown", "host_online": False}, "skipped_offline: its host is offline"),
        ("announce", {"capabilities": ["restart"]}, "scheduler_failed: its game cannot say here"),
        ("console", {}, ""),
        ("console", {"status": "stopped"}, "skipped_offline: it is stopped"),
        ("console", {"busy_with": 7, "status": "stopped"}, "skipped_busy: J-7"),
    ],
)
def test_a_server(action: str, changed: dict[str, Any], words: str) -> None:
    skip = left_out(ACTIONS[action], target(**changed))
    assert (f"{skip.status}: {skip.reason}" if skip else "").startswith(words) and bool(skip) == bool(words)


def test_every_action_is_a_job_with_a_permission_and_none_needs_a_confirmation() -> None:
    assert {action.job_type for action in ACTIONS.values()} <= JOBS.keys()
    assert {JOBS[action.job_type].permission for action in ACTIONS.values()} == {
        "servers.restart",
        "servers.stop",
        "servers.start",
        "servers.console",
        "backups.create",
    }
    assert [OF_JOB_TYPE[action.job_type.value] for action in ACTIONS.values()] == list(ACTIONS.values())
