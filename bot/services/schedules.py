"""Schedules as people see and steer them: list, skip, pause, resume, remove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain import until, zones
from bot.domain.access import Scope
from bot.domain.actors import Actor
from bot.domain.cron import checked
from bot.domain.schedules_times import timetable
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import Done, Question, ask
from bot.services.schedules_wishes import MANAGE, may, understood_steps
from bot.services.servers import PAGE, VIEW, Page, left_out
from db.engine import Database
from db.queries import cards, config, schedules, tags
from db.queries.cards import ServerCard
from db.queries.schedules import ScheduleCard
from db.uow import Tx

_VIEW: Final = "schedules.view"


class Schedules:
    """What people do with schedules that are there. New ones: `ScheduleAdding`; their runs: `SchedulesDue`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor, page: int = 0) -> Page[ScheduleCard]:
        """The next one first; those that are switched off come last."""
        async with self._db.read() as session:
            rows = await schedules.cards(
                session, actor.org, scope=actor.sight(_VIEW), limit=PAGE + 1, offset=page * PAGE
            )
        return Page([told(row, actor.sight(_VIEW)) for row in rows[:PAGE]], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str) -> list[ScheduleCard]:
        """For autocompletes."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            return await schedules.cards(session, actor.org, scope=actor.sight(_VIEW), words=words, limit=25)

    async def tags(self, actor: Actor, words: str) -> list[tuple[str, int]]:
        """For autocompletes: tags, and how many servers have each."""
        scope = actor.scope(VIEW)
        if scope.nowhere:
            return []
        async with self._db.read() as session:
            return await tags.counted(session, actor.org, words.strip().lower(), scope=scope)

    async def zones(self, actor: Actor, words: str) -> list[str]:
        """For autocompletes: time zones, the org's own first."""
        async with self._db.read() as session:
            own = await config.zone(session, actor.org)
        found = zones.suggested(words)
        return [own, *(name for name in found if name != own)] if not words else found

    async def skip(self, actor: Actor, ref: str, count: int) -> Done:
        """Leaves the next runs out; 0 takes that back."""
        async with self._db.uow(actor) as tx:
            schedule = await self.locked(tx, ref)
            _must_run(schedule)
            await schedules.skip(tx.session, tx.actor.org, schedule.id, count, clock.now())
            tx.audit("schedule.skip", resource=("schedule", schedule.id), name=schedule.name, count=count)
        if not count:
            return Done(f"{safe(schedule.name)} skips nothing", f"It runs next {_at(schedule.next_time)}.")
        runs = "The next run is" if count == 1 else f"The next {count} runs are"
        again = _time(schedule, _after(schedule, count))
        return Done(f"{runs} left out", f"{safe(schedule.name)} runs again {_at(again)}." if again else "")

    async def pause(self, actor: Actor, ref: str, until_text: str) -> Done:
        """Pauses a schedule until a moment, or until somebody resumes it. Who gives a pause an end, or an earlier one,
        lets it run again: what holds for `resume` holds for them."""
        async with self._db.uow(actor) as tx:
            schedule = await self.locked(tx, ref)
            must_be_there(schedule)
            end = await _end_of_pause(tx, until_text)
            if not schedule.enabled and end is None:
                raise Conflict(f"{safe(schedule.name)} is paused already.", "`/schedule resume` lets it run again.")
            sooner = not schedule.enabled or bool(end and schedule.paused_until and end < schedule.paused_until)
            denied = await _must_be_allowed(tx, schedule) if sooner else []
            next_run = schedule.next_run_at or _next(schedule)
            await schedules.pause(tx.session, tx.actor.org, schedule.id, end, next_run, clock.now())
            await schedules.leave_out(tx.session, actor.org, schedule.id, [server.id for server in denied])
            names = {"leftOut": [server.name for server in denied]} if denied else {}
            until_when = end.isoformat() if end else None
            tx.audit(
                "schedule.pause", resource=("schedule", schedule.id), name=schedule.name, until=until_when, **names
            )
        words = f"Until {_at(end)}." if end else "Until `/schedule resume` lets it run again."
        text = "\n".join(filter(None, [words, left_out(actor, denied)]))
        return Done(f"{safe(schedule.name)} is paused", text)

    async def resume(self, actor: Actor, ref: str) -> Done:
        """Lets a paused schedule run again, from its next moment on; what was due meanwhile stays left out, and so do
        from now on the servers on which the actor may not do what it does."""
        async with self._db.uow(actor) as tx:
            schedule = await self.locked(tx, ref)
            denied = await _must_be_allowed(tx, schedule)
            must_be_there(schedule)
            if schedule.enabled and not _is_paused(schedule):
                raise Conflict(f"{safe(schedule.name)} is not paused.", f"It runs next {_at(schedule.next_time)}.")
            next_run = _next(schedule)
            await schedules.resume(tx.session, tx.actor.org, schedule.id, next_run, clock.now())
            await schedules.leave_out(tx.session, actor.org, schedule.id, [server.id for server in denied])
            names = {"leftOut": [server.name for server in denied]} if denied else {}
            tx.audit("schedule.resume", resource=("schedule", schedule.id), name=schedule.name, **names)
        words = [f"Next {_at(_time(schedule, next_run))}.", left_out(actor, denied)]
        return Done(f"{safe(schedule.name)} runs again", "\n".join(filter(None, words)))

    async def ask_remove(self, actor: Actor, ref: str) -> Question:
        async with self._db.uow(actor) as tx:
            schedule = await self.locked(tx, ref)
            tx.audit("schedule.remove.ask", resource=("schedule", schedule.id), name=schedule.name)
            return await ask(
                tx,
                "schedule.remove",
                {"schedule": str(schedule.id)},
                title=f"Remove {safe(schedule.name)}?",
                effect=[
                    f"{_rule(schedule)} ({safe(schedule.zone)}).",
                    "Nothing is done by it any more. Jobs that it has begun go on, and their history stays.",
                ],
                verb="Remove the schedule",
            )

    async def removed(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Carries a confirmed removal out."""
        await schedules.hold_jobs(tx.session, tx.actor.org, UUID(payload["schedule"]))
        schedule = await self.locked(tx, payload["schedule"])
        await schedules.remove(tx.session, tx.actor.org, schedule.id)
        tx.audit("schedule.remove", resource=("schedule", schedule.id), name=schedule.name)
        return Done(f"{safe(schedule.name)} is removed", "Jobs that it has begun go on.")

    async def locked(self, tx: Tx, ref: str) -> ScheduleCard:
        """A schedule whose row is held, for somebody who manages schedules on every server that it is for."""
        schedule = await self._held(tx, ref)
        await tx.require_on(MANAGE, await schedules.server_ids(tx.session, tx.actor.org, schedule))
        return schedule

    async def _held(self, tx: Tx, ref: str) -> ScheduleCard:
        found = await resolve(tx.session, tx.actor.org, ref)
        if not await schedules.lock(tx.session, tx.actor.org, found.id):
            raise NotFound(f"{safe(found.name)} was removed meanwhile.", "`/schedule list` shows what there is.")
        return await resolve(tx.session, tx.actor.org, str(found.id))  # as it is now that nobody else can change it


async def _must_be_allowed(tx: Tx, schedule: ScheduleCard) -> list[ServerCard]:
    """Somebody may let it be done: the servers on which they may not.

    Raises:
        NotPermitted, Conflict: they may nowhere, or it is nothing that this version does.
    """
    steps = understood_steps(schedule)
    servers = await schedules.server_ids(tx.session, tx.actor.org, schedule)
    denied = set(servers) - await may(tx, servers, steps)
    if not denied:
        return []
    return await cards.servers(tx.session, tx.actor.org, scope=Scope(False, frozenset(denied)), limit=None)


async def resolve(session: AsyncSession, org_id: UUID, ref: str) -> ScheduleCard:
    """By id or name.

    Raises:
        NotFound: none of this org; an id of another org reads the same.
    """
    text = ref.strip()
    try:
        found = await schedules.card(session, org_id, schedule_id=UUID(text))
    except ValueError:
        found = await schedules.card(session, org_id, name=text)
    if found is None:
        raise NotFound("There is no such schedule here.", "`/schedule list` shows what there is.")
    return found


def told(schedule: ScheduleCard, sight: Scope) -> ScheduleCard:
    """As somebody with this sight may read it: why a tag's run was left out may name a server that they do not see."""
    whole = not schedule.tag or (sight.everywhere and not sight.others)
    return schedule if whole else replace(schedule, last_run_reason=None)


def must_be_there(schedule: ScheduleCard) -> None:
    """Raises Conflict where the schedule's server was removed."""
    if schedule.server_gone:
        raise Conflict(
            f"{safe(schedule.name)} is switched off: its server {safe(schedule.server_name or '')} was removed.",
            "`/schedule remove` forgets it; make another with `/schedule add`.",
        )


def _must_run(schedule: ScheduleCard) -> None:
    must_be_there(schedule)
    if not schedule.enabled:
        raise Conflict(f"{safe(schedule.name)} is paused, so it does not run.", "`/schedule resume` first.")


def _is_paused(schedule: ScheduleCard) -> bool:
    return schedule.paused_until is not None and schedule.paused_until > clock.now()


async def _end_of_pause(tx: Tx, text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        return until.parse(text, clock.now(), zones.zone(await config.zone(tx.session, tx.actor.org)))
    except ValueError as error:
        raise Invalid(str(error), "Nothing was changed.") from error


def _runs(schedule: ScheduleCard, after: datetime) -> Iterator[datetime]:
    try:
        return timetable(schedule).begins(after)
    except ValueError as error:  # the machine's list of zones has changed
        raise Conflict(str(error), "Remove the schedule and make another.") from error


def looked_from(schedule: ScheduleCard) -> datetime:
    """Its next runs begin later than this. The one that has begun with what comes before it is none of them."""
    begun = schedule.last_run_for and schedule.last_run_for - timedelta(seconds=schedule.lead_sec)
    return max(clock.now(), begun) if begun else clock.now()


def _next(schedule: ScheduleCard) -> datetime | None:
    return next(_runs(schedule, looked_from(schedule)), None)


def _after(schedule: ScheduleCard, count: int) -> datetime | None:
    """The first run that is done when so many are left out."""
    start = schedule.next_run_at or clock.now()
    return next(islice(_runs(schedule, start), count - 1, None), None)


def _rule(schedule: ScheduleCard) -> str:
    try:
        return checked(schedule.expression).words
    except ValueError:  # another version has read it otherwise: it can be removed all the same
        return safe(schedule.expression)


def _time(schedule: ScheduleCard, begin: datetime | None) -> datetime | None:
    """The time of the run that begins then."""
    return begin + timedelta(seconds=schedule.lead_sec) if begin else None


def _at(moment: datetime | None) -> str:
    return f"<t:{moment.timestamp():.0f}:f>" if moment else "never"
