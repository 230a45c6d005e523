"""What the end of a job says about its server, and the words for a job that never began."""

from datetime import timedelta
from typing import Final

from bot.domain.durations import spoken

_STARTED: Final[dict[str, str]] = {"SERVER_CREATE": "installing"}
_DONE: Final[dict[str, str]] = {
    "SERVER_CREATE": "stopped",
    "SERVER_START": "running",
    "SERVER_RESTART": "running",
    "SERVER_STOP": "stopped",
    "SERVER_KILL": "stopped",
}
_FAILED: Final[dict[str, str]] = {"SERVER_CREATE": "install_failed"}


def status_when_started(job_type: str) -> str | None:
    """The server's status once a run of this type has begun; None: the heartbeats say."""
    return _STARTED.get(job_type)


def status_when_ended(job_type: str, job_status: str) -> str | None:
    """The server's status that follows from the end of a job; None: nothing certain, the heartbeats say."""
    match job_status:
        case "success":
            return _DONE.get(job_type)
        case "failed":
            return _FAILED.get(job_type)
        case _:
            return None


def desired_when_ended(job_type: str, job_status: str) -> str | None:
    """What people want of the server from now on, so that its host restarts it after a crash or leaves it down."""
    status = _DONE.get(job_type) if job_status == "success" and job_type != "SERVER_CREATE" else None
    return status if status in ("running", "stopped") else None


def expiry_reason(host: str | None, host_status: str | None, waited: timedelta) -> str:
    """Why a job was never begun."""
    span = spoken(max(waited, timedelta(minutes=1)))
    if host is None:
        return "its host was removed"
    if host_status == "online":
        return f"{host} had other work for {span}, so this was not begun"
    return f"{host} did not come back within {span}"
