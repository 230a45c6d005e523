"""When the runs of a schedule begin: at the times of its cron expression that lie in its window, less its lead."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final, Protocol

from bot.domain.cron import Cron, checked
from bot.domain.schedules_windows import Window, window
from bot.domain.zones import zone

_TRIES: Final = 1500
"""Times in a row outside the window after which none is expected to lie in it: more than four years of days."""


@dataclass(frozen=True)
class Timetable:
    """The moments at which runs begin, in UTC."""

    cron: Cron
    zone: tzinfo
    window: Window | None = None
    lead: timedelta = timedelta()
    """A run begins so long before its time, with what comes before what it is for."""

    def begins(self, after: datetime) -> Iterator[datetime]:
        """The moments later than this at which a run begins, in order; none where no time lies in the window."""
        outside = 0
        for run in self.cron.runs(after + self.lead, self.zone):
            if self.holds(run):
                outside = 0
                yield run - self.lead
            elif (outside := outside + 1) == _TRIES:
                return

    def time_of(self, begin: datetime) -> datetime:
        """The time of the run that begins then."""
        return begin + self.lead

    def holds(self, moment: datetime) -> bool:
        """Whether the window is open then."""
        return self.window is None or self.window.holds(moment.astimezone(self.zone).time())


class Kept(Protocol):
    """A schedule's times as they are kept."""

    @property
    def expression(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def window_start(self) -> time | None: ...
    @property
    def window_end(self) -> time | None: ...
    @property
    def lead_sec(self) -> int: ...


def timetable(kept: Kept) -> Timetable:
    """The times of a schedule that was saved.

    Raises:
        ValueError: it never comes, or its zone is not known here any more.
    """
    return Timetable(
        checked(kept.expression),
        zone(kept.zone),
        window(kept.window_start, kept.window_end),
        timedelta(seconds=kept.lead_sec),
    )
