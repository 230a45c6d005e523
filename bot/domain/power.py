"""Plans of power actions: what players are told when, and what becomes of a plan by what is seen of its server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from bot.domain.durations import spoken
from bot.domain.words import count

Planned = Literal["stop", "restart"]

WARNINGS: Final = (15, 10, 5, 1)
"""Minutes before it happens at which players are told, besides the beginning."""
LATE: Final = timedelta(minutes=15)
"""What could not be done in time is still done within this, then it expires."""
_MARGIN: Final = timedelta(minutes=1)
"""So much earlier than its first warning the countdown is written down as jobs."""
_APART: Final = timedelta(seconds=30)
"""Two announcements closer than this say the same."""
_REASON: Final = 150
"""Characters of a reason in the game: a console takes a line of bytes."""
_INGAME: Final[dict[Planned, str]] = {"restart": "Restart", "stop": "Shutdown"}


@dataclass(frozen=True)
class Announcement:
    """Something that players are told."""

    at: datetime
    text: str


def announcements(
    action: Planned, due: datetime, reason: str, minutes: Sequence[int], now: datetime, *, opening: str = ""
) -> list[Announcement]:
    """What players are told until it happens. `opening`: at once, where they do not know of it or of its time yet."""
    said = [Announcement(now, opening)] if opening else []
    for left in sorted({timedelta(minutes=minute) for minute in minutes}, reverse=True):
        last = said[-1].at if said else now - _APART
        if due - left - last >= _APART:
            said.append(Announcement(due - left, countdown(action, left, reason)))
    return said


def told_before(action: Planned, due: datetime, minutes: Sequence[int], now: datetime) -> str:
    """`10, 5 and 1 minutes`: when players are told besides the beginning; empty where it is too near."""
    said = announcements(action, due, "", minutes, now, opening="now")[1:]
    *many, last = [str(round((due - one.at) / timedelta(minutes=1))) for one in said] or [""]
    unit = "minute" if last == "1" and not many else "minutes"
    return f"{', '.join(many)} and {last} {unit}" if many else f"{last} {unit}" if last else ""


def lead(minutes: Sequence[int]) -> timedelta:
    """So long before it happens its countdown becomes jobs. Not earlier: what waits keeps schedules from the server."""
    return timedelta(minutes=max(minutes, default=0)) + _MARGIN


def countdown(action: Planned, left: timedelta, reason: str) -> str:
    """`Restart in 5 minutes: update`."""
    whole = timedelta(minutes=round(left / timedelta(minutes=1))) if left >= timedelta(minutes=1) else left
    return f"{_INGAME[action]} in {spoken(whole)}{_because(reason)}"


def waiting(action: Planned, reason: str) -> str:
    """What players are told at the beginning of a wait for them to leave."""
    return f"{_INGAME[action]} as soon as nobody is on{_because(reason)}"


def opening(action: Planned, due: datetime | None, reason: str, now: datetime) -> str:
    """What players are told of a new plan."""
    return countdown(action, due - now, reason) if due else waiting(action, reason)


def postponed(action: Planned, left: timedelta, reason: str) -> str:
    """What players are told of a new time."""
    return f"{_INGAME[action]} postponed. {countdown(action, left, reason)}"


def called_off(action: Planned) -> str:
    """What players are told when it does not happen."""
    return f"{_INGAME[action]} cancelled"


def _because(reason: str) -> str:
    """On one line, whatever was typed."""
    flat = " ".join("".join(char if char.isprintable() else " " for char in reason).split())
    cut = flat if len(flat) <= _REASON else flat[: _REASON - 1].rstrip() + "…"
    return f": {cut}" if cut else ""


@dataclass(frozen=True)
class Plan:
    """What of a live plan decides."""

    action: Planned
    due_at: datetime | None
    """None: as soon as nobody is on."""
    give_up_at: datetime | None
    warn_minutes: Sequence[int]
    begun: bool = False
    """Its card says that it is under way."""


@dataclass(frozen=True)
class Seen:
    """What is known of the server of a plan, in words where somebody is told of it."""

    gone: str = ""
    """Why there is nothing to do it to any more."""
    held: str = ""
    """Who holds it, and why."""
    fresh: bool = True
    """Its host is there, and spoke of it lately."""
    status: str = "running"
    players: int | None = None
    """None: nobody knows."""
    busy: str = ""
    """What is under way on it, or waits to be."""
    overtaken: str = ""
    """Another power action that was done to it since the plan was made."""
    job: Literal["none", "waiting", "due", "running", "ended"] = "none"
    """The plan's own."""


Step = Literal["wait", "count", "act", "begin", "end", "cancel", "expire"]
"""wait: nothing to do yet · count: write the countdown down as jobs · act: do it now · begin: say that it is under way
· end: its job has ended · cancel: it must not happen any more · expire: it did not come to it."""


@dataclass(frozen=True)
class Next:
    """What is to be done about a plan, and why."""

    step: Step
    reason: str


def next_step(plan: Plan, seen: Seen, now: datetime) -> Next:
    """What becomes of a live plan. What its own job brings about is written down when that ends, and not here."""
    if seen.job == "ended":  # whoever wrote that down knew nothing of plans: an older version, beside this one
        return Next("end", "its job has ended")
    if seen.job in ("running", "due"):
        return Next("wait" if plan.begun else "begin", "under way")
    if seen.gone:
        return Next("cancel", seen.gone)
    if seen.held:
        return Next("cancel", seen.held)
    if seen.fresh and seen.status == "stopped":
        return Next("cancel", "it was stopped already" if plan.action == "stop" else "it was stopped meanwhile")
    if seen.job == "waiting":
        return Next("wait", "counting down")
    return _at(plan, plan.due_at, seen, now) if plan.due_at else _when_empty(plan, seen, now)


def _at(plan: Plan, due: datetime, seen: Seen, now: datetime) -> Next:
    if now >= due + LATE:
        return Next("expire", seen.busy or "it could not be begun in time")
    if now < due - lead(plan.warn_minutes):
        return Next("wait", "its time has not come")
    return Next("wait", seen.busy) if seen.busy else Next("count", "its countdown begins")


def _when_empty(plan: Plan, seen: Seen, now: datetime) -> Next:
    if seen.overtaken:
        return Next("cancel", seen.overtaken)
    empty = seen.fresh and seen.status == "running" and seen.players == 0
    if empty and not seen.busy:
        return Next("act", "nobody is on")
    if plan.give_up_at and now >= plan.give_up_at:
        return Next("expire", seen.busy or _still(seen))
    return Next("wait", seen.busy or _still(seen))


def _still(seen: Seen) -> str:
    if not seen.fresh or seen.players is None:
        return "nobody knows how many are on"
    if seen.status != "running":
        return f"it is {seen.status}"
    return f"{count(seen.players, 'player is', 'players are')} still on"
