"""The table of states, held against what the design says of each case."""

from bot.domain.job_states import JOB_STATES, RUN_STATES, correctable
from bot.domain.jobs import FINAL, LIVE, JobStatus, RunStatus

ENDS: dict[str, JobStatus] = {"late success": "success", "late failure": "failed", "late stop": "cancelled"}


def after(event: str) -> set[tuple[JobStatus, JobStatus]]:
    return {(before, to) for (before, what), to in JOB_STATES.items() if what == event}


def test_a_job_waits_for_the_one_before_it() -> None:
    assert after("released") == {("held", "queued")}
    assert after("not released") == {("held", "cancelled")}


def test_an_offer_that_nobody_began_is_queued_again() -> None:
    assert after("offered") == {("queued", "running")}
    assert after("taken back") == {("running", "queued")}
    assert RUN_STATES["claimed", "taken back"] is None


def test_cancelling_is_immediate_until_it_is_begun_and_then_what_the_run_says() -> None:
    assert after("cancelled") == {("held", "cancelled"), ("queued", "cancelled"), ("running", "cancelled")}
    assert RUN_STATES["claimed", "withdrawn"] == "cancelled"
    assert ("running", "withdrawn") not in RUN_STATES
    assert after("stopped") == {("running", "cancelled")}


def test_only_what_waits_for_its_host_expires() -> None:
    assert after("expired") == {("queued", "expired")}


def test_a_silent_host_loses_its_run_and_the_job_is_tried_again_or_fails() -> None:
    assert RUN_STATES["running", "lapsed"] == "lost"
    assert after("tried again") == {("running", "queued")}
    assert after("failed") == {("running", "failed")}


def test_an_agent_that_died_leaves_a_lost_run_and_a_failed_job() -> None:
    assert RUN_STATES["running", "unknown"] == "lost"


def test_a_late_result_corrects_what_was_only_supposed_and_nothing_that_is_certain() -> None:
    for event, end in ENDS.items():
        assert after(event) == {(state, end) for state in ("queued", "running", "failed", "expired")}
    assert {state for state in LIVE | FINAL if correctable(state)} == {"queued", "running", "failed", "expired"}
    late = {(before, to) for (before, what), to in RUN_STATES.items() if what.startswith("late")}
    assert late == {("lost", "success"), ("lost", "failed"), ("lost", "cancelled")}


def test_what_is_certain_is_for_ever() -> None:
    assert not {before for before, _ in JOB_STATES} & {"success", "cancelled"}
    assert not {before for before, _ in RUN_STATES} & {"success", "failed", "cancelled"}


def test_everything_that_lives_can_reach_every_end() -> None:
    reached: set[JobStatus] = {"held"}
    for (before, _), to in JOB_STATES.items():
        reached |= {to} if before in reached else set()
    assert reached == LIVE | FINAL
    runs: set[RunStatus | None] = {"claimed"}
    for (before, _), to in RUN_STATES.items():
        runs |= {to} if before in runs else set()
    assert runs == {"claimed", "running", "success", "failed", "cancelled", "lost", None}
