"""How often a rule would have fired, as far as what was kept tells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LOOKED_BACK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Past:
    """How often, and what that leaves out."""

    times: int | None
    """None: nothing was kept that could tell."""
    caveat: str = ""


def streaks(runs: Iterable[tuple[str, bool]], consecutive: int) -> int:
    """How often so many runs of one entity in a row went wrong. `runs`: (entity, went wrong), oldest first."""
    broken: dict[str, int] = {}
    times = 0
    for entity, wrong in runs:
        broken[entity] = broken.get(entity, 0) + 1 if wrong else 0
        times += broken[entity] == consecutive
    return times


def bursts(matches: Sequence[datetime], threshold: int, window: timedelta) -> int:
    """How often one entity's matches (oldest first) came to the threshold within a window, after a window without."""
    times, firing = 0, False
    for place, at in enumerate(matches):
        if place and at - matches[place - 1] >= window:
            firing = False
        first = place - threshold + 1
        if not firing and first >= 0 and at - matches[first] < window:
            times, firing = times + 1, True
    return times


def apart(moments: Sequence[tuple[str, datetime]], cooldown: timedelta) -> int:
    """How many incidents single happenings (entity, when; oldest first) would have been: one within the cooldown of the
    last belongs to it."""
    last: dict[str, datetime] = {}
    times = 0
    for entity, at in moments:
        times += entity not in last or at - last[entity] >= cooldown
        last[entity] = at
    return times
