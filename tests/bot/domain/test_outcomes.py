"""What the end of a job says."""

from datetime import timedelta

import pytest

from bot.domain.jobs import JobType
from bot.domain.outcomes import expiry_reason, status_when_ended, status_when_started


@pytest.mark.parametrize(
    ("job_type", "job_status", "server_status"),
    [
        (JobType.SERVER_START, "success", "running"),
        (JobType.SERVER_STOP, "success", "stopped"),
        (JobType.SERVER_STOP, "failed", None),
        (JobType.SERVER_CREATE, "success", "stopped"),
        (JobType.SERVER_CREATE, "failed", "install_failed"),
        (JobType.SERVER_CREATE, "queued", None),
        (JobType.SERVER_RESTART, "cancelled", None),
        (JobType.ANNOUNCE, "success", None),
    ],
)
def test_nothing_is_claimed_that_is_not_certain(job_type: str, job_status: str, server_status: str | None) -> None:
    assert status_when_ended(job_type, job_status) == server_status


def test_only_an_installation_shows_when_it_begins() -> None:
    assert [kind for kind in JobType if status_when_started(kind)] == [JobType.SERVER_CREATE]


@pytest.mark.parametrize(
    ("host", "status", "minutes", "words"),
    [
        ("EU1's host gs-1", "offline", 15, "EU1's host gs-1 did not come back within 15 minutes"),
        ("EU1's host gs-1", "unknown", 1, "EU1's host gs-1 did not come back within 1 minute"),
        ("EU1's host gs-1", "offline", 7 * 1440, "EU1's host gs-1 did not come back within 7 days"),
        (
            "EU1's host gs-1",
            "online",
            2,
            "EU1's host gs-1 had other work for 2 minutes, so this was not begun",
        ),
        (None, None, 15, "its host was removed"),
    ],
)
def test_why_a_job_was_never_begun(host: str | None, status: str | None, minutes: int, words: str) -> None:
    assert expiry_reason(host, status, timedelta(minutes=minutes)) == words
