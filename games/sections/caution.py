"""A time in a game at which a stop hurts more than at others, told by the game's own clock."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.sections.base import Section
from games.sections.people import Listing

Hour = Annotated[int, Field(ge=0, le=23)]
Mood = Literal["now", "soon", ""]


class Period(Listing):
    """The command that tells every how many days it comes."""

    usual: Annotated[int, Field(ge=0, le=1000)]
    """Where the game does not say. 0: never."""

    @model_validator(mode="after")
    def _days(self) -> Self:
        if "days" not in self.each.names:
            raise ValueError("`each` of a period needs the group `days`")
        return self


class Caution(Section):
    """It comes on every so many days, from an hour of such a day until an hour of the next one."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """As people are told: `blood moon`."""
    clock: Listing
    """The command that tells the time in the game: the groups `day` and `hour`."""
    every: Period
    begins: Hour
    ends: Hour
    """Of the day after."""
    soon: Annotated[int, Field(ge=0, le=24)] = 2
    """So many hours before it begins it is said that it will."""

    @model_validator(mode="after")
    def _clock_groups(self) -> Self:
        if not {"day", "hour"} <= set(self.clock.each.names):
            raise ValueError("`each` of a clock needs the groups `day` and `hour`")
        return self

    def mood(self, time: Mapping[str, str], days: int) -> Mood:
        """What it is at this time, where it comes every so many days."""
        day, hour = int(time["day"]), int(time["hour"])
        if days <= 0:
            return ""
        if hour < self.ends and day > 1 and (day - 1) % days == 0:
            return "now"
        if day % days or hour < self.begins - self.soon:
            return ""
        return "now" if hour >= self.begins else "soon"
