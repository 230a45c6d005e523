"""When schedules leave a run out, and why: values in, a status with its reason out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.domain.actions import Action
from bot.domain.durations import rough
from bot.domain.jobs import JobType
from bot.domain.schedules_steps import Step
from bot.domain.schedules_times import Timetable
from bot.domain.words import count

Status = Literal[
    "enqueued",
    "success",
    "failed",
    "skipped",
    "skipped_busy",
    "skipped_window",
    "skipped_offline",
    "skipped_players",
    "skipped_missed",
    "scheduler_failed",
]

LATE: Final = timedelta(minutes=10)
"""A run that is later than this was missed: it is left out, or caught up once."""
SOON: Final = 0
"""Number of a job that has none yet."""
_UP: Final = ("running", "starting")


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


def around(due: Due, times: Timetable, now: datetime) -> tuple[datetime | None, datetime | None]:
    """The last moment that is due by now and not late (None: all of them were missed), and the next one after now
    (None: never again)."""
    begin = max(due.next_run_at, now - LATE)
    last = due.next_run_at if due.next_run_at >= begin else None
    for moment in times.begins(begin - timedelta(seconds=1)):
        if moment > now:
            return last, moment
        last = moment
    return last, None


def skipped(due: Due, moment: datetime | None, times: Timetable, now: datetime) -> Skip | None:
    """Why a run that is due is left out as a whole; None: it is done. `moment`: see `around`."""
    if due.paused_until is not None and (moment or due.next_run_at) < due.paused_until:
        return Skip("skipped", "it is paused")
    if due.skip_next > 0:
        return Skip("skipped", "somebody asked for that", asked_for=True)
    if moment is None and not due.catch_up:
        late = rough(now - due.next_run_at)
        return Skip("skipped_missed", f"it was due {late} ago, and nothing could be done then")
    if times.window and not times.holds(times.time_of(moment or now)):
        return Skip("skipped_window", f"the clock does not show {times.window.words}")
    return None


@dataclass(frozen=True)
class Target:
    """A server as a run finds it."""

    status: str
    desired_state: str
    host_online: bool
    capabilities: Collection[str]
    busy_with: int | None
    """Number of an exclusive job that waits or runs there, or of a job of the same schedule; `SOON`: it is only being
    written; None also where the run waits behind it."""
    players: int | None = None
    """None: nobody knows."""
    rest: str = ""
    """Why it is left alone now: held by somebody, or in maintenance."""

    @property
    def busy_words(self) -> str:
        if self.busy_with == SOON:
            return "another schedule does something there at the same time"
        return f"J-{self.busy_with} is waiting or under way there"

    @property
    def words(self) -> str:
        return "it is not known to be up" if self.status == "unknown" else f"it is {self.status}"


@dataclass(frozen=True)
class Conditions:
    """What has to be so on a server for a run."""

    online: bool = False
    empty: bool = False


def chain(steps: Sequence[Step], target: Target, conditions: Conditions) -> tuple[list[Step], Skip | None]:
    """What is done on a server, or why nothing is. An announcement that cannot be made there is left out where what
    follows does not need it."""
    if skip := _as_a_whole(steps, target, conditions):
        return [], skip
    done: list[Step] = []
    first: Skip | None = None
    found = replace(target, busy_with=None)
    for step in steps:
        skip = left_out(step.does, found)
        if skip and not (step.goes_on and step.does.job_type == JobType.ANNOUNCE):
            return [], skip
        first = first or skip
        if not skip:
            done.append(step)
            found = _after(step.does, found)
    return done, None if done else first


def _as_a_whole(steps: Sequence[Step], target: Target, conditions: Conditions) -> Skip | None:
    if target.busy_with is not None:
        return Skip("skipped_busy", target.busy_words)
    if target.rest and any(step.does.job_type != JobType.ANNOUNCE for step in steps):
        return Skip("skipped", f"it is {target.rest}")
    if conditions.online and not (target.host_online and target.status == "running"):
        return Skip("skipped_offline", target.words if target.host_online else "its host is offline")
    if conditions.empty and (full := not_empty(target.status, target.players if target.host_online else None)):
        return Skip("skipped_players", full)
    return None


def not_empty(status: str, players: int | None) -> str:
    """Why a server is not known to be empty; nothing where it is. `players` None: nobody knows."""
    if status in ("stopped", "crashed"):
        return ""
    if players is None or status != "running":
        return "nobody knows how many players are online"
    return f"{count(players, 'player is', 'players are')} online" if players else ""


def _after(action: Action, target: Target) -> Target:
    """The server as a step leaves it."""
    match action.job_type:
        case JobType.SERVER_STOP:
            return replace(target, status="stopped", desired_state="stopped")
        case JobType.SERVER_START | JobType.SERVER_RESTART:
            return replace(target, status="running", desired_state="running")
        case _:
            return target


def left_out(action: Action, target: Target) -> Skip | None:
    """Why an action is left out on a server; None: it is not."""
    if action.capability not in target.capabilities:
        return Skip("scheduler_failed", f"its game cannot {action.capability} here")
    if target.busy_with is not None:
        return Skip("skipped_busy", target.busy_words)
    # whoever stopped it does not want a schedule to start it; a host that is away may come back in time
    wanted = target.desired_state == "running" and target.status in ("crashed", "unknown")
    match action.job_type:
        case JobType.SERVER_RESTART if not wanted and target.status not in _UP:
            return Skip("skipped_offline", f"{target.words}, and a restart would start it")
        case JobType.SERVER_STOP if not wanted and target.status not in _UP:
            status: Status = "skipped" if target.status == "stopped" else "skipped_offline"
            return Skip(status, target.words)
        case JobType.SERVER_START if target.status in _UP:
            return Skip("skipped", f"it is {target.status} already")
        case JobType.SERVER_START if target.status in ("installing", "install_failed", "stopping"):
            return Skip("skipped_offline", f"it is {target.status.replace('_', ' ')}")
        case JobType.ANNOUNCE | JobType.CONSOLE_COMMAND if not target.host_online:
            return Skip("skipped_offline", "its host is offline")
        case JobType.ANNOUNCE | JobType.CONSOLE_COMMAND if target.status not in _UP:
            return Skip("skipped_offline", target.words)
        case _:
            return None
