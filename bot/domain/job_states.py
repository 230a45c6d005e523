"""Every way that a job or a run may go: (state, what happens) -> state. What is not here does not happen.

The statements of `db.queries` move the rows; this table is what they are held against.
"""

from typing import Final, Literal

from bot.domain.jobs import JobStatus, RunStatus

JobEvent = Literal[
    "released",  # the job before it has ended as it must
    "not released",  # the job before it did not succeed
    "cancelled",  # by a person, before its host has begun it
    "offered",
    "taken back",  # the offer was not begun in time
    "succeeded",
    "failed",
    "stopped",  # a person cancelled it while it ran, and it did stop
    "tried again",  # it failed, or its host fell silent, and it has attempts left
    "expired",
    "late success",  # of a run that was given up
    "late failure",
    "late stop",
]
RunEvent = Literal[
    "started",
    "withdrawn",  # cancelled before it was begun
    "taken back",  # removed: its lease passed before it was begun, or the attempt before it has answered after all
    "succeeded",
    "failed",
    "stopped",
    "unknown",  # the agent died while it ran
    "lapsed",  # its host fell silent
    "late success",
    "late failure",
    "late stop",
]

JOB_STATES: Final[dict[tuple[JobStatus, JobEvent], JobStatus]] = {
    ("held", "released"): "queued",
    ("held", "not released"): "cancelled",
    ("held", "cancelled"): "cancelled",
    ("queued", "offered"): "running",
    ("queued", "cancelled"): "cancelled",
    ("queued", "expired"): "expired",
    ("queued", "late success"): "success",
    ("queued", "late failure"): "failed",
    ("queued", "late stop"): "cancelled",
    ("running", "taken back"): "queued",
    ("running", "cancelled"): "cancelled",
    ("running", "succeeded"): "success",
    ("running", "failed"): "failed",
    ("running", "stopped"): "cancelled",
    ("running", "tried again"): "queued",
    ("running", "late success"): "success",  # of the attempt before the one that is offered
    ("running", "late failure"): "failed",
    ("running", "late stop"): "cancelled",
    ("failed", "late success"): "success",
    ("failed", "late failure"): "failed",
    ("failed", "late stop"): "cancelled",
    ("expired", "late success"): "success",
    ("expired", "late failure"): "failed",
    ("expired", "late stop"): "cancelled",
}
"""`held` and `queued` are the states in which a job is written. `success` and `cancelled` are for ever."""

RUN_STATES: Final[dict[tuple[RunStatus, RunEvent], RunStatus | None]] = {
    ("claimed", "started"): "running",
    ("claimed", "withdrawn"): "cancelled",
    ("claimed", "taken back"): None,
    ("claimed", "succeeded"): "success",  # the answer to its first report was lost, its result was not
    ("claimed", "failed"): "failed",
    ("claimed", "stopped"): "cancelled",
    ("claimed", "unknown"): "lost",
    ("running", "succeeded"): "success",
    ("running", "failed"): "failed",
    ("running", "stopped"): "cancelled",
    ("running", "unknown"): "lost",
    ("running", "lapsed"): "lost",
    ("lost", "late success"): "success",
    ("lost", "late failure"): "failed",
    ("lost", "late stop"): "cancelled",
}
"""None: its row is removed. `claimed` is the state in which a run is written."""


def correctable(status: JobStatus) -> bool:
    """A result that comes late, of a run that was given up, still says how the job ended."""
    return (status, "late success") in JOB_STATES
