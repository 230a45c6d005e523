"""The steps of a schedule: what is done before, at and after its time, in which order, and what a failure stops."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.domain import durations
from bot.domain.actions import ACTIONS, POWER, Action
from bot.domain.jobs import JobType
from bot.domain.words import count, safe

MOST: Final = 5
"""Steps of a schedule."""
LONGEST: Final = 3600
"""Seconds between the first step and the last."""
_WARNING: Final = re.compile(r"(\d{1,4})\s*(?:m|min|mins|minutes?)?")
_PLACE: Final = re.compile(r"(?:(?P<span>\d.*?)\s*)?(?P<side>before|earlier|after|later|first|last)(?:wards?)?")
_NOTHING: Final = frozenset({"none", "no", "off", "0", "-"})


@dataclass(frozen=True)
class Step:
    """One thing that a schedule does."""

    action: str
    """Name of one of `ACTIONS`."""
    text: str = ""
    offset: int = 0
    """Seconds after the schedule's time; below zero: before it."""
    goes_on: bool = False
    """What follows is done even if this fails."""

    @property
    def does(self) -> Action:
        return ACTIONS[self.action]

    @property
    def is_warning(self) -> bool:
        """It only tells players what is to come."""
        return self.does.job_type == JobType.ANNOUNCE and self.offset < 0 and self.goes_on


def lead(steps: Iterable[Step]) -> int:
    """How many seconds before its time a run begins."""
    return max(0, -min((step.offset for step in steps), default=0))


def checked(steps: Sequence[Step]) -> Sequence[Step]:
    """Steps that can be kept.

    Raises:
        ValueError: with a sentence.
    """
    if len(steps) > MOST:
        raise ValueError(f"A schedule has {MOST} steps at most; this would be {len(steps)}.")
    if max(step.offset for step in steps) + lead(steps) > LONGEST:
        raise ValueError("From the first step of a schedule to its last an hour may pass at most.")
    return steps


def main(steps: Sequence[Step]) -> Step:
    """What the schedule is for: what the others warn of, prepare or follow."""
    for wanted in (
        [step for step in steps if step.does.job_type in POWER],
        [step for step in steps if step.does.job_type != JobType.ANNOUNCE],
        [step for step in steps if not step.offset],
    ):
        if wanted:
            return wanted[0]
    return steps[0]


def minutes_before(steps: Iterable[Step]) -> list[int]:
    """How many minutes before its time a schedule warns, begun ones counted; the longest first."""
    return sorted({-(step.offset // 60) for step in steps if step.is_warning}, reverse=True)


def warned(steps: Sequence[Step], minutes: Sequence[int]) -> list[Step]:
    """The steps with these warnings before the schedule's time, in place of those that it has. Where these are at the
    same minutes they stay, whatever they say.

    Raises:
        ValueError: with a sentence, where there is nothing to warn of.
    """
    if list(minutes) == minutes_before(steps):
        return list(steps)
    kept = [step for step in steps if not step.is_warning]
    if not kept:
        raise ValueError("This schedule only tells players something; there is nothing else to warn of.")
    action = main(kept).action
    if minutes and main(kept).does.job_type not in (JobType.SERVER_RESTART, JobType.SERVER_STOP):
        raise ValueError("Players are warned of a restart or a stop; other announcements are steps of their own.")
    texts = [(n, f"{action.capitalize()} in {count(n, 'minute')}") for n in minutes]
    return [*(Step("announce", text, -60 * n, goes_on=True) for n, text in texts), *kept]


def minutes_of(text: str) -> list[int] | None:
    """Reads how many minutes before its time a schedule warns, such as `15, 5, 1`; the longest first. None: empty.

    Raises:
        ValueError: with a sentence.
    """
    words = " ".join(text.lower().replace("and", " ").replace("before", " ").split())
    if not words:
        return None
    if words in _NOTHING:
        return []
    found = [_WARNING.fullmatch(part) for part in re.split(r"\s*[,;/]\s*|\s+(?=\d)", words)]
    numbers = {int(match[1]) for match in found if match}
    if not all(found) or not all(1 <= number <= LONGEST // 60 for number in numbers):
        raise ValueError(f"`warn` has {safe(text, 40)}; it takes minutes from 1 to 60, such as `5` or `15, 5, 1`.")
    return sorted(numbers, reverse=True)


def place_of(text: str) -> tuple[int, bool]:
    """Reads when a step is done: its offset in seconds, and whether it comes before the others of the same time.
    `5 minutes before`, `right before`, `10 min after`; without anything it comes last.

    Raises:
        ValueError: with a sentence.
    """
    words = " ".join(text.lower().replace("right", " ").replace("just", " ").split())
    match = _PLACE.fullmatch(words or "after")
    if match is None:
        raise _no_place(text)
    before = match["side"] in ("before", "earlier", "first")
    if not match["span"]:
        return 0, before
    try:
        seconds = int(durations.parse(match["span"]).total_seconds())
    except ValueError as error:
        raise _no_place(text) from error
    if seconds > LONGEST:
        raise ValueError(f"{safe(text, 40)} is too far from the schedule's time; an hour is the most.")
    return -seconds if before else seconds, before


def _no_place(text: str) -> ValueError:
    return ValueError(f"{safe(text, 40)} is no time of a step; it takes such as `5 minutes before`, `before`, `after`.")


def placed(steps: Sequence[Step], step: Step, *, before: bool) -> list[Step]:
    """The steps with one more, in the order in which they are done."""
    return sorted([step, *steps] if before else [*steps, step], key=lambda one: one.offset)


def without(steps: Sequence[Step], number: int) -> list[Step]:
    """The steps without one of them, counted from 1. The earliest of the others is done at the schedule's time at the
    latest.

    Raises:
        ValueError: with a sentence.
    """
    kept = [step for n, step in enumerate(steps, 1) if n != number]
    if not kept:
        raise ValueError("A schedule has to do something; this is all that it does.")
    late = max(0, min(step.offset for step in kept))
    return [replace(step, offset=step.offset - late) for step in kept]


def when(offset: int) -> str:
    """`5 min before`, `at its time`, `30 s after`."""
    if not offset:
        return "at its time"
    return f"{durations.compact(timedelta(seconds=abs(offset)))} {'before' if offset < 0 else 'after'}"
