"""What schedules do and when they leave a run out: values in, a status with its reason out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import takewhile
from typing import Final, Literal

from bot.domain.actions import Action
from bot.domain.cron import Cron
from bot.domain.jobs import JobType

Status = Literal[
    "enqueued", "success", "failed", "skipped", "skipped_busy", "skipped_offline", "skipped_missed", "scheduler_failed"
]

LATE: Final = timedelta(minutes=10)
"""A run that is later than this was missed: it is left out, or caught up once."""


@dataclass(frozen=True)
class Skip:
    """A run that is left out, and why."""

    status: Status
    reason: str
    asked_for: bool = False
    """It is one of those that somebody asked to be left out."""


@dataclass(frozen=True)
class Due:
    """A schedule whose time has come."""

    next_run_at: datetime
    paused_until: datetime | None
    skip_next: int
    catch_up: bool


def last_on_time(due: Due, cron: Cron, zone: tzinfo, now: datetime) -> datetime | None:
    """The last moment that is due by now and not late; None: all of them were missed."""
    begin = max(due.next_run_at, now - LATE)
    moments = list(takewhile(lambda moment: moment <= now, cron.runs(begin - timedelta(seconds=1), zone)))
    return moments[-1] if moments else due.next_run_at if due.next_run_at >= begin else None


def skipped(due: Due, moment: datetime | None, now: datetime) -> Skip | None:
    """Why a run that is due is left out as a whole; None: it is done. `moment`: see `last_on_time`."""
    if due.paused_until is not None and (moment or due.next_run_at) < due.paused_until:
        return Skip("skipped", "it is paused")
    if due.skip_next > 0:
        return Skip("skipped", "somebody asked for that", asked_for=True)
    if moment is None and not due.catch_up:
        late = words_of(now - due.next_run_at)
        return Skip("skipped_missed", f"it was due {late} ago, and nothing could be done then")
    return None


def words_of(span: timedelta) -> str:
    """`42 minutes`, `3 hours`, `2 days`."""
    minutes = int(span.total_seconds() // 60)
    for unit, length in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {unit}s"
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


@dataclass(frozen=True)
class Target:
    """A server as a run finds it."""

    status: str
    desired_state: str
    host_online: bool
    capabilities: Collection[str]
    busy_with: int | None
    """Number of an exclusive job that waits or runs there, or of a job of the same schedule."""

    @property
    def words(self) -> str:
        return "it is not known to be up" if self.status == "unknown" else f"it is {self.status}"


def left_out(action: Action, target: Target) -> Skip | None:
    """Why a server is left out of a run; None: it is not."""
    if action.capability not in target.capabilities:
        return Skip("scheduler_failed", f"its game cannot {action.capability} here")
    if target.busy_with is not None:
        return Skip("skipped_busy", f"J-{target.busy_with} is waiting or under way there")
    if action.job_type == JobType.SERVER_RESTART:
        # whoever stopped it does not want a schedule to start it; a host that is away may come back in time
        wanted = target.desired_state == "running" and target.status in ("crashed", "unknown")
        if not wanted and target.status not in ("running", "starting"):
            return Skip("skipped_offline", f"{target.words}, and a restart would start it")
    elif action.job_type == JobType.SERVER_START:
        if target.status in ("running", "starting"):
            return Skip("skipped_busy", f"it is {target.status} already")
    elif not target.host_online:
        return Skip("skipped_offline", "its host is offline")
    elif target.status not in ("running", "starting"):
        return Skip("skipped_offline", target.words)
    return None
