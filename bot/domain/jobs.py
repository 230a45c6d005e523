"""What a job of each type needs and how it behaves when something dies; the transitions of jobs and runs."""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum, StrEnum
from typing import Final, Literal


class JobType(StrEnum):
    """The work a host does. `agent.wire` has one parameter model for each; a test compares the two."""

    SERVER_CREATE = "SERVER_CREATE"
    SERVER_REMOVE = "SERVER_REMOVE"
    SERVER_START = "SERVER_START"
    SERVER_STOP = "SERVER_STOP"
    SERVER_RESTART = "SERVER_RESTART"
    SERVER_KILL = "SERVER_KILL"
    CONSOLE_COMMAND = "CONSOLE_COMMAND"
    ANNOUNCE = "ANNOUNCE"
    PLAYER_KICK = "PLAYER_KICK"
    BAN_SYNC = "BAN_SYNC"
    MOD_INSTALL = "MOD_INSTALL"
    SAVE_BACKUP = "SAVE_BACKUP"


JobStatus = Literal["held", "queued", "running", "success", "failed", "cancelled", "expired"]
RunStatus = Literal["claimed", "running", "success", "failed", "cancelled", "lost"]
RunOutcome = Literal["success", "failed", "cancelled", "unknown"]

LIVE: Final[frozenset[JobStatus]] = frozenset({"held", "queued", "running"})
FINAL: Final[frozenset[JobStatus]] = frozenset({"success", "failed", "cancelled", "expired"})

LEASE: Final = timedelta(seconds=90)
"""A claim and each progress report hold the run this long."""


class Priority(IntEnum):
    """Whose jobs a host takes first. Each step is worth `HEAD_START`, so nothing waits for ever behind later ones."""

    BACKGROUND = 0
    SCHEDULE = 1
    BATCH = 2
    PERSON = 3


HEAD_START: Final = timedelta(minutes=3)
"""A job goes before those of a step below that were due up to this much earlier."""
PRIORITY_OF: Final[dict[str, Priority]] = {
    "command": Priority.PERSON,
    "macro": Priority.PERSON,
    "mod_deploy": Priority.PERSON,
    "batch": Priority.BATCH,
    "schedule": Priority.SCHEDULE,
    "alert": Priority.SCHEDULE,
    "reconcile": Priority.SCHEDULE,
    "ban_sync": Priority.BACKGROUND,
    "system": Priority.BACKGROUND,
}
"""By the source of a job."""


@dataclass(frozen=True)
class JobSpec:
    """How jobs of one type behave."""

    permission: str
    """Needed to start, retry, cancel, schedule or batch it, on the server concerned."""
    verb: str
    """As people say it: `restart`, `console command`."""
    exclusive: bool = False
    """At most one exclusive run per server at a time."""
    timeout: timedelta = timedelta(minutes=15)
    max_attempts: int = 1
    """Above 1 only where doing it twice does no harm."""
    backoff: timedelta = timedelta(seconds=2)
    """The wait before the second attempt; each further one is twice as long."""
    waits: timedelta | None = timedelta(minutes=15)
    """How long after `not_before` it may wait for its host before it expires; None: as long as it takes."""
    instead: str = ""
    """What to do instead of `/job retry`, where the job is only a part of something that goes on by itself."""


JOBS: Final[dict[JobType, JobSpec]] = {
    JobType.SERVER_CREATE: JobSpec("servers.create", "create", exclusive=True, max_attempts=3, waits=timedelta(days=7)),
    JobType.SERVER_REMOVE: JobSpec("servers.delete", "remove", exclusive=True, max_attempts=3, waits=None),
    JobType.SERVER_START: JobSpec("servers.start", "start", exclusive=True),
    JobType.SERVER_STOP: JobSpec("servers.stop", "stop", exclusive=True),
    JobType.SERVER_RESTART: JobSpec("servers.restart", "restart", exclusive=True, timeout=timedelta(minutes=25)),
    JobType.SERVER_KILL: JobSpec("servers.kill", "kill", timeout=timedelta(minutes=1)),
    JobType.CONSOLE_COMMAND: JobSpec(
        "servers.console", "console command", timeout=timedelta(minutes=1), waits=timedelta(minutes=2)
    ),
    JobType.ANNOUNCE: JobSpec("servers.console", "announce", timeout=timedelta(minutes=1), waits=timedelta(minutes=2)),
    JobType.PLAYER_KICK: JobSpec(
        "players.kick", "kick player", timeout=timedelta(minutes=1), waits=timedelta(minutes=2)
    ),
    # made anew from what is wanted, so it may wait as long as its host is away
    JobType.BAN_SYNC: JobSpec(
        "bans.create",
        "ban sync",
        max_attempts=3,
        waits=None,
        instead="It is made anew by itself; `/ban show` says when.",
    ),
    JobType.MOD_INSTALL: JobSpec(
        "mods.deploy",
        "deploy",
        exclusive=True,
        timeout=timedelta(minutes=30),
        instead="Give `/mod deploy` again.",
    ),
    JobType.SAVE_BACKUP: JobSpec("backups.create", "backup", exclusive=True, timeout=timedelta(minutes=60)),
}

PARTS: Final[frozenset[str]] = frozenset(kind.value for kind, spec in JOBS.items() if spec.instead)
"""Types whose jobs are not done again by themselves."""


LONGEST_BACKOFF: Final = timedelta(minutes=5)


def backoff(attempt: int, first: timedelta = timedelta(seconds=2)) -> timedelta:
    """The wait before attempt `attempt + 1`: `first`, then twice as long each time, at most 5 minutes or `first`."""
    return min(first * 2 ** min(attempt - 1, 9), max(first, LONGEST_BACKOFF))


@dataclass(frozen=True)
class Verdict:
    """What becomes of a job whose run has ended."""

    status: Literal["queued", "success", "failed", "cancelled"]
    reason: str
    retry_in: timedelta | None = None


def after_run(
    outcome: RunOutcome | Literal["lost"],
    attempt: int,
    max_attempts: int,
    *,
    cancel_requested: bool,
    first_wait: timedelta = timedelta(seconds=2),
) -> Verdict:
    """The job's next state. `lost`: its lease passed; `unknown`: its agent died while it ran."""
    match outcome:
        case "success":
            return Verdict("success", "")
        case "cancelled":
            return Verdict("cancelled", "cancelled while it ran")
        case "unknown":
            return Verdict("failed", "unknown: the agent died while it ran. Look at the server before you do it again")
        case "failed" | "lost":
            words = "its host stopped reporting; what was done is unknown" if outcome == "lost" else ""
            if cancel_requested:
                return Verdict("failed", words or "it failed before it could be cancelled")
            if attempt < max_attempts:
                return Verdict("queued", words, retry_in=backoff(attempt, first_wait))
            return Verdict("failed", words)
