"""Maintenance windows as people make, see and end them."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import maintenance as rules
from bot.domain import zones
from bot.domain.actors import Actor
from bot.domain.words import count
from bot.errors import Conflict, Invalid, NotFound
from bot.services import maintenance_telling
from bot.services.confirmations import Done
from bot.services.maintenance_targets import MANAGE, Concerned, Suggested, concerned, must_manage, seen, suggestions
from bot.services.servers import PAGE, Page
from db.engine import Database
from db.queries import config, maintenance_windows
from db.queries.maintenance_windows import WindowCard
from db.uow import Tx

_VIEW: Final = "schedules.view"
_KEPT: Final = timedelta(days=7)
"""So long a list shows windows that are over."""


class Maintenance:
    """`/maintenance`, and what its messages show. Their times: `MaintenanceDue`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def start(self, actor: Actor, target: str, duration: str, reason: str) -> Done:
        """Maintenance from now on.

        Raises:
            NotFound, Invalid, NotPermitted, Conflict: nothing was written.
        """
        return await self._make(actor, target, None, duration, reason)

    async def plan(self, actor: Actor, target: str, start: str, duration: str, reason: str) -> Done:
        """Maintenance that begins by itself.

        Raises:
            NotFound, Invalid, NotPermitted, Conflict: nothing was written.
        """
        return await self._make(actor, target, start, duration, reason)

    async def _make(self, actor: Actor, target: str, start: str | None, duration: str, reason: str) -> Done:
        why = " ".join(reason.split())
        if not why:
            raise Invalid("Maintenance needs a reason.", "Others read it who wonder why nothing happens.")
        async with self._db.uow(actor) as tx:
            found = await concerned(tx, target)
            now, zone_name = clock.now(), await config.zone(tx.session, actor.org)
            zone = zones.zone(zone_name)
            begin, end = _times(start, duration, now, zone)
            window = await _insert(tx, found, begin, end, why, planned=start is not None)
            channel = await maintenance_telling.post(tx, window.id)
            planned = window.begun_at is None
            told = 0 if planned else await maintenance_telling.say(tx, window, rules.said("begin", window.times, now))
            tx.audit(
                "maintenance.plan" if planned else "maintenance.start",
                resource=window.resource,
                **_audited(window),
                startsAt=begin.isoformat(),
                endsAt=end.isoformat(),
            )
        times = f"{rules.on_the_clock(begin, end, zone)} ({zone_name}), {'begins' if planned else 'over'} "
        lines = [
            f"{times}<t:{(begin if planned else end).timestamp():.0f}:R>.",
            _effect(found, told, planned=planned),
            f"Its message is in <#{channel}>." if channel else "",
        ]
        what = rules.named(found.kind, found.name)
        title = f"Maintenance of {what} {'is planned' if planned else 'has begun'}"
        return Done(title, "\n".join(filter(None, lines)))

    async def end(self, actor: Actor, ref: str) -> Done:
        """Ends a window before its time; cancels one that has not begun.

        Raises:
            NotFound, NotPermitted, Conflict: it is over.
        """
        async with self._db.uow(actor) as tx:
            found = await maintenance_windows.window(tx.session, actor.org, _id(ref))
            if found is None:
                raise _none()
            await must_manage(tx, found.kind, found.servers)
            window = await maintenance_windows.hold(tx.session, actor.org, found.id, wait=True)
            now = clock.now()
            if window is None or window.times.state(now) not in ("planned", "under way"):
                raise Conflict("This maintenance is over already.", "`/maintenance list` shows what there is.")
            planned = window.times.state(now) == "planned"
            await maintenance_windows.end(tx.session, actor.org, window.id, at=now, by=actor.user_id)
            text = (rules.CALLED_OFF if window.warned_at else "") if planned else rules.OVER
            await maintenance_telling.say(tx, window, text)
            await maintenance_telling.show(tx, window)
            tx.audit(
                "maintenance.cancel" if planned else "maintenance.end",
                resource=window.resource,
                **_audited(window),
            )
        what, how = rules.named(window.kind, window.name), "is cancelled" if planned else "is over"
        after = "" if planned else "What still is wrong there raises its alert now, and schedules run again."
        return Done(f"Maintenance of {what} {how}", after)

    async def list(self, actor: Actor, page: int = 0) -> Page[WindowCard]:
        """Those under way and planned, then those of the last week; of what is seen."""
        found = await self._seen(actor, clock.now() - _KEPT)
        begin = page * PAGE
        return Page(found[begin : begin + PAGE], page, len(found) > begin + PAGE)

    async def suggest(self, actor: Actor, words: str) -> list[WindowCard]:
        """For autocompletes: windows that are not over."""
        now = clock.now()
        live = [
            window for window in await self._seen(actor, now) if window.times.state(now) in ("planned", "under way")
        ]
        return [one for one in live if words.casefold() in f"{one.kind} {one.name} {one.reason}".casefold()][:25]

    async def suggest_targets(self, actor: Actor, words: str) -> list[Suggested]:
        """For autocompletes: what a window may be of."""
        scope = actor.sight(MANAGE)
        if scope.nowhere:
            return []
        async with self._db.read() as session:
            return await suggestions(session, actor.org, scope, words)

    async def card(self, org_id: UUID, ref: str) -> WindowCard | None:
        """For its messages."""
        async with self._db.read() as session:
            return await maintenance_windows.window(session, org_id, UUID(ref))

    async def _seen(self, actor: Actor, since: datetime) -> list[WindowCard]:
        scope = actor.sight(_VIEW)
        if scope.nowhere:
            return []
        async with self._db.read() as session:
            found = await maintenance_windows.windows(session, actor.org, since)
        return [window.within(scope) for window in found if seen(window, scope)]


def _times(start: str | None, duration: str, now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    try:
        begin = now if start is None else rules.begins(start, now, zone)
        return begin, rules.ends(duration, begin, zone)
    except ValueError as error:
        raise Invalid(str(error), "Such as `2h`, `90m` or `friday 18:00`; nothing was written.") from error


async def _insert(
    tx: Tx, found: Concerned, begin: datetime, end: datetime, reason: str, *, planned: bool
) -> WindowCard:
    session, org_id, now = tx.session, tx.actor.org, clock.now()
    values = {"org": org_id, **found.columns, "starts_at": begin, "ends_at": end, "now": now}
    await maintenance_windows.lock(session, org_id)
    if other := await maintenance_windows.overlapping(session, values):
        zone = zones.zone(await config.zone(session, org_id))
        what = rules.named(found.kind, found.name)
        raise Conflict(
            f"{what[:1].upper()}{what[1:]} has maintenance then: {rules.on_the_clock(*other, zone)}.",
            "End or cancel that first with `/maintenance end`, or take another time.",
        )
    begun = None if planned else now
    window_id = await maintenance_windows.add(
        session, {**values, "reason": reason, "begun_at": begun, "author": tx.actor.user_id}
    )
    window = await maintenance_windows.window(session, org_id, window_id)
    assert window is not None
    return window


def _audited(window: WindowCard) -> dict[str, str]:
    of = {"tag": window.tag} if window.tag else {"name": window.name or window.kind}
    return {"window": str(window.id), **of, "reason": window.reason}


def _effect(found: Concerned, told: int, *, planned: bool) -> str:
    many = len(found.servers)
    servers = count(many, "server") if many else "no server yet"
    everywhere = planned or 0 < told == many
    heard = " Players are told." if everywhere else f" Players are told on {told} of them." if told else ""
    return f"It covers {servers}: no alerts, no schedules, no batches.{heard}"


def _id(ref: str) -> UUID:
    try:
        return UUID(ref.strip())
    except ValueError:
        raise _none() from None


def _none() -> NotFound:
    return NotFound("There is no such maintenance here.", "Pick one of the suggestions; `/maintenance list` shows all.")
