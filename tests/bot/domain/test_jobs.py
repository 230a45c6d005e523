"""How jobs end, are tried again, and what guards them."""

from datetime import timedelta
from itertools import product
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.jobs import FINAL, JOBS, LIVE, JobType, after_run, backoff

Outcome = Literal["success", "failed", "cancelled", "unknown", "lost"]
OUTCOMES: tuple[Outcome, ...] = ("success", "failed", "cancelled", "unknown", "lost")


@pytest.mark.parametrize(
    ("outcome", "attempt", "most", "cancelling", "status", "words"),
    [
        ("success", 1, 1, False, "success", ""),
        ("success", 1, 3, True, "success", ""),
        ("cancelled", 1, 3, True, "cancelled", "cancelled while it ran"),
        ("cancelled", 1, 3, False, "cancelled", "cancelled while it ran"),
        ("failed", 1, 3, False, "queued", ""),
        ("failed", 2, 3, False, "queued", ""),
        ("failed", 3, 3, False, "failed", ""),
        ("failed", 1, 1, False, "failed", ""),
        ("failed", 1, 3, True, "failed", "it failed before it could be cancelled"),
        ("lost", 1, 3, False, "queued", "its host stopped reporting; what was done is unknown"),
        ("lost", 1, 1, False, "failed", "its host stopped reporting; what was done is unknown"),
        ("lost", 1, 3, True, "failed", "its host stopped reporting; what was done is unknown"),
    ],
)
def test_what_becomes_of_a_job(
    outcome: Outcome, attempt: int, most: int, cancelling: bool, status: str, words: str
) -> None:
    verdict = after_run(outcome, attempt, most, cancel_requested=cancelling)
    assert (verdict.status, verdict.reason) == (status, words)


@pytest.mark.parametrize(("attempt", "most", "cancelling"), list(product((1, 3), (1, 3, 5), (True, False))))
def test_what_is_not_known_is_never_done_again_and_said(attempt: int, most: int, cancelling: bool) -> None:
    verdict = after_run("unknown", attempt, most, cancel_requested=cancelling)
    assert verdict.status == "failed" and verdict.retry_in is None
    assert verdict.reason.startswith("unknown: ") and "before you do it again" in verdict.reason


@given(st.sampled_from(OUTCOMES), st.integers(1, 10), st.integers(1, 10), st.booleans())
def test_only_what_failed_and_has_attempts_left_is_tried_again(
    outcome: Outcome, attempt: int, most: int, cancelling: bool
) -> None:
    verdict = after_run(outcome, attempt, most, cancel_requested=cancelling)
    again = outcome in ("failed", "lost") and attempt < most and not cancelling
    assert (verdict.status == "queued") is again
    assert verdict.retry_in == (backoff(attempt) if again else None)
    assert verdict.status in FINAL | {"queued"}


def test_waits_double_up_to_five_minutes() -> None:
    assert [backoff(attempt).total_seconds() for attempt in range(1, 12)] == [
        2,
        4,
        8,
        16,
        32,
        64,
        128,
        256,
        300,
        300,
        300,
    ]
    assert backoff(10_000) == timedelta(minutes=5)


def test_a_job_lives_or_has_ended() -> None:
    assert not LIVE & FINAL
    assert len(LIVE | FINAL) == 7


def test_only_what_does_no_harm_twice_is_done_twice() -> None:
    assert {kind for kind, spec in JOBS.items() if spec.max_attempts > 1} == {
        JobType.SERVER_CREATE,
        JobType.SERVER_REMOVE,
        JobType.BAN_SYNC,
    }


@pytest.mark.parametrize("kind", JobType)
def test_every_job_can_be_followed_to_its_end(kind: JobType) -> None:
    spec = JOBS[kind]
    assert spec.verb and spec.verb == spec.verb.lower()
    assert spec.timeout >= timedelta(minutes=1)
    assert spec.waits is None or spec.waits >= timedelta(minutes=2)


def test_a_kill_passes_what_hangs() -> None:
    exclusive: dict[Any, bool] = {kind: spec.exclusive for kind, spec in JOBS.items()}
    assert not exclusive[JobType.SERVER_KILL]
    assert all(exclusive[kind] for kind in (JobType.SERVER_START, JobType.SERVER_STOP, JobType.SERVER_RESTART))
