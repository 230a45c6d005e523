"""Who led when, read from the table of leases on PostgreSQL's clock; and how long nobody did.

PostgreSQL runs on this machine, so its clock is the one on which strokes are noted.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from bot.errors import AppError
from bot.workers.leading import ROLE
from db.engine import Database
from db.failures import translated
from tests.faults.chaos.processes import Period

LOOK_EVERY: Final = 0.1
WORST: Final = 5.0
"""Seconds in which a duty has a holder again."""
_ROWS: Final = text("""
    select extract(epoch from clock_timestamp())::float8 as now, duty, holder, epoch,
           extract(epoch from expires_at)::float8 as expires from leases""")


@dataclass(frozen=True)
class Look:
    """The table at one moment: the holder of each duty whose lease had not passed, with its epoch."""

    at: float
    holders: dict[str, tuple[str, int]]
    waits: Mapping[str, float] = field(default_factory=dict[str, float])
    """Seconds that each replica has waited for a processor so far, by its name in the table."""


@dataclass(frozen=True)
class Gap:
    """A time in which a replica stood by and a duty was nobody's who could do it."""

    duty: str
    standby: str
    since: float
    until: float
    starved: float
    """Seconds of it in which the replica was ready to run and the machine had no processor for it."""

    @property
    def seconds(self) -> float:
        return self.until - self.since

    @property
    def too_long(self) -> bool:
        """Even if the time is left out in which nothing of the replica's could have been quicker."""
        return self.seconds - self.starved > WORST

    def __str__(self) -> str:
        return f"{self.duty} for {self.seconds:.2f} s, {self.standby} waited {self.starved:.2f} s for a processor"


@dataclass
class Leadership:
    """What was seen of the table. `looks` is cut where the database did not answer: nobody can lead without it."""

    db: Database
    each: Callable[[], Mapping[str, float]]
    """Called with every look: how long each replica has waited for a processor."""
    looks: list[list[Look]] = field(default_factory=lambda: [[]])

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            waits = self.each()
            try:
                with translated():
                    self.looks[-1].append(await self._look(waits))
            except AppError:
                if self.looks[-1]:
                    self.looks.append([])
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self, waits: Mapping[str, float]) -> Look:
        async with self.db.read() as session:
            rows = (await session.execute(_ROWS)).all()
            at = rows[0].now if rows else 0.0
            return Look(at, {row.duty: (row.holder, row.epoch) for row in rows if row.expires >= row.now}, waits)

    def gaps(self, periods: Sequence[Period]) -> list[Gap]:
        """All that there were, the longest first."""
        ready = [period for period in periods if period.ready is not None]
        duties = {duty for part in self.looks for look in part for duty in look.holders if not duty.startswith(ROLE)}
        found = [
            gap
            for part in self.looks
            for duty in sorted(duties)
            for period in ready
            for gap in _gaps(part, duty, period, periods)
        ]
        return sorted(found, key=lambda gap: -gap.seconds)


def _gaps(looks: Iterable[Look], duty: str, standby: Period, periods: Sequence[Period]) -> Iterable[Gap]:
    first = last = None
    for look in looks:
        if not (standby.ready or 0.0) <= look.at <= (standby.until or look.at):
            continue
        if not _led(look, duty, periods):
            first, last = first or look, look
        elif first is not None:
            yield _gap(duty, standby, first, look)
            first = None
    if first is not None and last is not None:
        yield _gap(duty, standby, first, last)


def _gap(duty: str, standby: Period, first: Look, last: Look) -> Gap:
    starved = last.waits.get(standby.holder, 0.0) - first.waits.get(standby.holder, 0.0)
    return Gap(duty, standby.holder, first.at, last.at, max(0.0, starved))


def _led(look: Look, duty: str, periods: Sequence[Period]) -> bool:
    """By a process that was neither dead nor stopped."""
    held = look.holders.get(duty)
    return held is not None and any(
        period.holder == held[0] and period.since <= look.at <= (period.until or look.at) for period in periods
    )
