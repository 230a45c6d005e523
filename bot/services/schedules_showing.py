"""`/schedule show`: one schedule with all that is known of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import Scope
from bot.domain.actors import Actor
from bot.domain.schedules_times import Timetable, timetable
from bot.errors import Conflict
from bot.services.schedules import looked_from, must_be_there, resolve, told
from bot.services.schedules_authors import ScheduleAuthors
from bot.services.schedules_wishes import MANAGE, SHOWN_RUNS, Wish, wish_of
from bot.services.servers import must_see, names
from db.engine import Database
from db.queries import cards, schedules
from db.queries.rest import left_alone
from db.queries.schedules import ScheduleCard

_VIEW: Final = "schedules.view"


@dataclass(frozen=True)
class Shown:
    """A schedule as its card shows it."""

    schedule: ScheduleCard
    wish: Wish | None
    """As somebody would have wished it; None where this version cannot do what it does."""
    times: Timetable | None
    """None where its times cannot be read any more."""
    runs: Sequence[datetime]
    """When the next runs begin, if nothing is skipped; none while it is paused."""
    servers: Sequence[str]
    """On which it does something now, by name; those that the reader does not see are counted."""
    resting: Sequence[str]
    """Which of them are left alone now, and why."""
    unbacked: bool
    """Its author may not do any more what it does."""
    manages: bool
    """The reader may change it."""


class ScheduleShowing:
    """Look-ups of one schedule."""

    def __init__(self, db: Database, authors: ScheduleAuthors) -> None:
        self._db = db
        self._authors = authors

    async def show(self, actor: Actor, ref: str) -> Shown:
        """One schedule, for somebody who sees one of its servers.

        Raises:
            NotFound, NotPermitted: there is none, or they may not see it.
        """
        async with self._db.read() as session:
            schedule, ids = await _seen(session, actor, ref)
            found = await cards.servers(session, actor.org, scope=Scope(False, frozenset(ids)), limit=None)
            seen = [server for server in found if actor.sight(_VIEW).covers(server.id)]
            rests = await left_alone(session, actor.org, [server.id for server in seen], clock.now())
        unbacked = await self._authors.unbacked(actor, [schedule])
        times = _times(schedule)
        return Shown(
            told(schedule, actor.sight(_VIEW)),
            _wish(schedule),
            times,
            _runs(schedule, times),
            names(actor, found),
            [f"{one.name} is {rests[one.id].words(clock.now())}" for one in seen if one.id in rests],
            schedule.id in unbacked,
            _manages(actor, ids),
        )

    async def wish(self, actor: Actor, ref: str) -> Wish:
        """What a schedule is, to be changed.

        Raises:
            NotFound, NotPermitted, Conflict: there is none, they may not see it, or this version cannot do it.
        """
        async with self._db.read() as session:
            schedule, _ = await _seen(session, actor, ref)
        must_be_there(schedule)
        return wish_of(schedule)


async def _seen(session: AsyncSession, actor: Actor, ref: str) -> tuple[ScheduleCard, list[UUID]]:
    """A schedule that somebody may see, and the servers that it is for."""
    schedule = await resolve(session, actor.org, ref)
    ids = await schedules.server_ids(session, actor.org, schedule)
    if not any(map(actor.sight(_VIEW).covers, ids)):
        await must_see(session, actor, _VIEW, ids[0] if ids else None)
    return schedule, ids


def _manages(actor: Actor, servers: Sequence[UUID]) -> bool:
    if not servers:
        return actor.may_on(MANAGE, None)
    return all(actor.may_on(MANAGE, server) for server in servers)


def _wish(schedule: ScheduleCard) -> Wish | None:
    try:
        return wish_of(schedule)
    except Conflict:
        return None


def _times(schedule: ScheduleCard) -> Timetable | None:
    try:
        return timetable(schedule)
    except ValueError:
        return None


def _runs(schedule: ScheduleCard, times: Timetable | None) -> Sequence[datetime]:
    if times is None or not schedule.enabled or schedule.server_gone:
        return ()
    start = looked_from(schedule)
    if schedule.paused_until:
        start = max(start, schedule.paused_until - timedelta(microseconds=1))  # one at this very moment is done
    return list(islice(times.begins(start), SHOWN_RUNS))
