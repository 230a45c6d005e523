"""Maintenance windows: what they are of, when they are, what is done about them next, and what players are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final, Literal, cast

from bot.domain import until
from bot.domain.durations import rough
from bot.domain.rest import end_of
from bot.domain.words import safe

LONGEST: Final = timedelta(days=7)
"""A window that is never closed would be a silence that nobody remembers."""
WARN: Final = timedelta(minutes=10)
"""So long before a planned window players hear of it."""
LATE: Final = timedelta(minutes=10)
"""What players would hear later than this is no news to them."""
EVERYTHING: Final = "everything"

Kind = Literal["everything", "host", "server", "tag"]
_KINDS: Final = ("host", "server", "tag")
State = Literal["planned", "under way", "over", "cancelled"]
Step = Literal["warn", "begin", "end"]


@dataclass(frozen=True)
class Target:
    """What somebody means: of a host or server its id or name, of a tag the tag. `kind` None: they did not say."""

    kind: Kind | None
    ref: str


def target(text: str) -> Target:
    """Reads `everything`, `host:gs-1`, `server:EU1`, `tag:eu` or a bare name."""
    typed = " ".join(text.split())
    if typed.casefold() == EVERYTHING:
        return Target("everything", "")
    kind, colon, ref = typed.partition(":")
    if colon and kind.casefold() in _KINDS:
        return Target(cast("Kind", kind.casefold()), ref.strip())
    return Target(None, typed)


def named(kind: Kind, name: str) -> str:
    """`everything`, `EU1`, `the host gs-1`, `the tag eu`."""
    match kind:
        case "everything":
            return kind
        case "server":
            return safe(name)
        case _:
            return f"the {kind} {safe(name)}"


def begins(text: str, now: datetime, zone: tzinfo) -> datetime:
    """When a planned window begins: a duration from now, or a day and a time on the clock of a zone.

    Raises:
        ValueError: with a sentence, where it is neither or is over.
    """
    return until.parse(text, now, zone)


def ends(text: str, begin: datetime, zone: tzinfo) -> datetime:
    """When a window ends: a duration, or a time on the clock of a zone after it began.

    Raises:
        ValueError: with a sentence, where it is neither, is nothing, or is longer than `LONGEST`.
    """
    end = end_of(text, begin, zone)
    if end - begin > LONGEST:
        raise ValueError(f"{safe(text, 40)} is longer than {LONGEST.days} days, the longest that maintenance may take.")
    return end


@dataclass(frozen=True)
class Times:
    """A window's times: what was wanted, and what was told or came about."""

    starts_at: datetime
    ends_at: datetime
    warned_at: datetime | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None

    def state(self, now: datetime) -> State:
        """By the clock, whether or not anybody has told of it."""
        if self.ended_at is not None:
            return "cancelled" if self.ended_at < self.starts_at else "over"
        if now >= self.ends_at:
            return "over"
        return "planned" if now < self.starts_at else "under way"

    def step(self, now: datetime) -> Step | None:
        """What has to be done about it now; None: nothing."""
        match self.state(now):
            case "over":
                return "end" if self.ended_at is None else None
            case "under way":
                return None if self.begun_at else "begin"
            case "planned":
                return "warn" if self.warned_at is None and now >= self.starts_at - WARN else None
            case "cancelled":
                return None


def said(step: Step, times: Times, now: datetime) -> str:
    """What players are told; empty where it would be no news to them."""
    match step:
        case "warn":
            lasting = rough(times.ends_at - times.starts_at)
            return f"Maintenance begins in {_about(times.starts_at - now)} and takes up to {lasting}."
        case "begin":
            return f"Maintenance begins now and takes up to {_about(times.ends_at - now)}."
        case "end":
            return OVER if times.begun_at and now - times.ends_at < LATE else ""


def _about(span: timedelta) -> str:
    """The tick that says so comes some seconds late."""
    return rough(span + timedelta(seconds=30))


CALLED_OFF: Final = "The maintenance that was announced does not take place."
OVER: Final = "Maintenance is over."


def on_the_clock(begin: datetime, end: datetime, zone: tzinfo) -> str:
    """`Sat 28 Mar 18:00 to 20:00`, as the clock of a zone shows it."""
    here, there = begin.astimezone(zone), end.astimezone(zone)
    day = "%a %d %b %H:%M"
    return f"{here:{day}} to {there:{'%H:%M' if here.date() == there.date() else day}}"
