"""What becomes of an alert: state, observation and time come in, the new state and the reason come out.

Nothing here looks anything up, and nothing here knows what is observed.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

CLEAR: Final = timedelta(seconds=15)
"""So long it has to be fine again before it counts as over."""
LEAST_REPEAT: Final = timedelta(minutes=1)
"""At most one line in an incident's timeline in this time, however short the rule's cooldown is."""


@dataclass(frozen=True)
class Watch:
    """What of a rule decides about transitions."""

    wait: timedelta
    """How long it has to match before it fires."""
    cooldown: timedelta
    """Firing again within it reopens the same incident; a line in the timeline at most once in it."""


@dataclass(frozen=True)
class Observation:
    """What was seen of one entity. `unclear`: it says nothing, so nothing begins and nothing ends by it."""

    seen: Literal["match", "clear", "unclear"]
    why: str
    at_once: bool = False
    """It is no matter of how long, such as a crash."""
    reported_at: datetime | None = None
    """When its host last said so; None: we know it ourselves."""


@dataclass(frozen=True)
class State:
    """What a rule has seen of one entity so far."""

    status: Literal["none", "pending", "firing", "resolved"] = "none"
    pending_since: datetime | None = None
    clear_since: datetime | None = None
    notified_at: datetime | None = None
    """The last line in the incident's timeline."""
    incident: Literal["none", "live", "closed", "over"] = "none"
    """over: it was folded into another one, which has ended."""
    closed_at: datetime | None = None
    """When its last incident ended."""


Step = Literal[
    "stay", "wait", "drop", "fire", "reopen", "rejoin", "unfold", "again", "seen", "unsure", "clearing", "resolve"
]
"""stay: nothing to write · wait: pending · drop: it was not for long enough · fire: a new incident · reopen: the last
incident · rejoin: its incident is still live · unfold: a new incident, as the one that it was part of is over and it is
not · again: a line in the timeline · seen: it goes on · unsure: what looked
fine may not be · clearing: it is fine for now · resolve: over."""


@dataclass(frozen=True)
class Decision:
    """The new state, and what has to be done about it."""

    step: Step
    state: State
    reason: str


def decide(watch: Watch, state: State, observed: Observation, now: datetime) -> Decision:
    """What an observation makes of what was seen before."""
    if state.status == "firing":
        return _while_firing(watch, state, observed, now)
    if observed.seen != "match":
        if state.status == "pending":
            return Decision("drop", State("none", incident=state.incident, closed_at=state.closed_at), observed.why)
        return Decision("stay", state, observed.why)
    since = state.pending_since if state.status == "pending" and state.pending_since else now
    if not _waited(watch, since, observed, now):
        pending = State("pending", since, incident=state.incident, closed_at=state.closed_at)
        return Decision("stay" if state.status == "pending" else "wait", pending, observed.why)
    return _fire(watch, state, observed, now)


def rested(observed: Observation, why: str) -> Observation:
    """What counts of something that is left alone, and `why` (empty: it is not): nothing begins by it, and what has
    begun goes on until it is fine; what still is so afterwards begins then."""
    return Observation("unclear", f"it is {why}") if why and observed.seen == "match" else observed


def _waited(watch: Watch, since: datetime, observed: Observation, now: datetime) -> bool:
    """A state that a host reports counts once it was reported twice: a report may have been overtaken by a change."""
    if observed.at_once or not watch.wait:
        return True
    confirmed = observed.reported_at is None or observed.reported_at > since
    return now - since >= watch.wait and confirmed


def _fire(watch: Watch, state: State, observed: Observation, now: datetime) -> Decision:
    if state.incident == "live":
        step: Step = "rejoin"
    elif state.closed_at is not None and now - state.closed_at < watch.cooldown:
        step = "reopen"
    else:
        step = "fire"
    return Decision(step, State("firing", notified_at=now, incident="live"), observed.why)


def _while_firing(watch: Watch, state: State, observed: Observation, now: datetime) -> Decision:
    match observed.seen:
        case "clear":
            since = state.clear_since or now
            if now - since >= CLEAR:
                return Decision("resolve", State("resolved", incident="closed", closed_at=now), observed.why)
            return Decision(
                "stay" if state.clear_since else "clearing", replace(state, clear_since=since), observed.why
            )
        case "unclear":
            step: Step = "unsure" if state.clear_since else "stay"
            return Decision(step, replace(state, clear_since=None), observed.why)
        case "match":
            goes_on = replace(state, clear_since=None)
            if state.incident == "over":
                return Decision("unfold", replace(goes_on, notified_at=now, incident="live"), observed.why)
            repeat = max(watch.cooldown, LEAST_REPEAT)
            if state.incident == "live" and (state.notified_at is None or now - state.notified_at >= repeat):
                return Decision("again", replace(goes_on, notified_at=now), observed.why)
            return Decision("seen", goes_on, observed.why)
