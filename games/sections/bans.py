"""How a game keeps somebody out: how long a ban can last, what the list of bans looks like, what becomes of it."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.patterns import Regex
from games.sections.base import Section
from games.sections.people import Listing

Span = Annotated[timedelta, Field(gt=timedelta(0))]
"""As ISO 8601 writes it: PT1M, P7D."""


class Amount(Section):
    """How long, in the game's own words: `{duration}` and `{unit}` of what is sent."""

    n: int
    unit: Annotated[str, Field(pattern=r"^[a-z]*$")] = ""


class Duration(Section):
    """How long a ban can last there."""

    units: Annotated[dict[Annotated[str, Field(pattern=r"^[a-z]+$")], Span], Field(min_length=1)]
    permanent: Amount
    longest: Span
    """The game cuts or refuses what is longer, so that is sent as `permanent`: no ban ends before its time."""
    clock: Literal["elapsed", "server_local"] = "elapsed"
    """`server_local`: the game adds to the clock on the wall and compares with it, summer time or not."""

    @property
    def step(self) -> timedelta:
        """The smallest unit: a ban's end is as exact as that."""
        return min(self.units.values())


class Verify(Section):
    """What the game's own list has to say afterwards."""

    bans: Literal["present", "absent"]


class Bans(Listing):
    """The list of bans. Groups: `id` or kinds of identity; `until` (local time) or `minutes` (left), neither: for good.

    With a group `range` a row is about several people and never taken for one of ours.
    """

    header: Regex | None = None
    """The list's first line. Without it and without `count`, silence would read as an empty list."""
    until_format: str = "%Y-%m-%d %H:%M:%S"
    persistence: Literal["file", "on_clean_exit", "memory"]
    """Anything but `file` is lost when the game dies: what is wanted is put there again at every start."""
    timed: Literal["native", "agent"]
    """`agent`: the game knows no end; a ban is for good there until it is lifted."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if self.header is None and self.count is None:
            raise ValueError("the list of bans needs `header` or `count`: else silence reads as an empty list")
        loose = [p.source for p in (self.header, self.each) if p is not None and not p.source.startswith("^")]
        if loose:
            raise ValueError(f"`header` and `each` begin with ^, or a reason could say them: {', '.join(loose)}")
        return self
