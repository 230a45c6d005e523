"""Pure decisions about a game that ended without being asked."""

from dataclasses import dataclass
from typing import Literal

Policy = Literal["never", "on_crash", "always"]


@dataclass(frozen=True)
class Backoff:
    """How patiently a crashed game is started again. Seconds."""

    first: float = 2.0
    longest: float = 300.0
    settled: float = 600.0
    """A game that was up this long counts as healthy: its next crash begins a new row."""
    limit: int = 10
    """So many crashes in a row are answered with another start; then a person has to look."""


@dataclass(frozen=True)
class End:
    """How a game ended."""

    how: str
    """E.g. `exited with code 1`."""
    clean: bool
    """It said that all is well: somebody asked it to end, in the game or on its console."""
    uptime: float


@dataclass(frozen=True)
class Verdict:
    """What follows. `restart_in` None: it stays down, and `note` says why."""

    crashed: bool
    restart_in: float | None
    streak: int
    note: str


def judge(policy: Policy, end: End, streak: int, backoff: Backoff) -> Verdict:
    """Decide about one end; `streak` is the number of crashes in a row before it."""
    if end.clean and policy != "always":
        return Verdict(False, None, 0, f"stopped in the game or on its console, after {duration(end.uptime)}")
    streak = 1 if end.uptime >= backoff.settled else streak + 1
    what = f"{end.how} after {duration(end.uptime)}"
    if policy == "never":
        return Verdict(True, None, streak, f"{what}; its restart policy is never")
    if streak > backoff.limit:
        return Verdict(True, None, streak, f"{what}; given up after {streak} crashes in a row, start it by hand")
    return Verdict(True, min(backoff.first * 2 ** (streak - 1), backoff.longest), streak, what)


def duration(seconds: float) -> str:
    """Words for a person: `3 s`, `12 min`, `5 h`."""
    if seconds < 120:
        return f"{max(0, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{round(seconds / 3600)} h"
