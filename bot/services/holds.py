"""Holds: people ask that a server be left alone, until they release it or for a time."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot import clock
from bot.domain import zones
from bot.domain.actors import Actor, system
from bot.domain.durations import rough
from bot.domain.power import Planned, called_off
from bot.domain.rest import Rest, end_of, stamp
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import outbox, power_plans, power_telling
from bot.services.confirmations import Done
from bot.services.each import each
from bot.services.servers import permitted
from db.engine import Database
from db.queries import config, fleet, holds, power, servers
from db.queries.cards import ServerCard
from db.queries.holds import Hold
from db.queries.rest import left_alone
from db.uow import Tx

_PERMISSION: Final = "servers.stop"
_KIND: Final = "server"
"""Of the messages that tell of a hold."""
_DUTY: Final = "holds.expire"


async def must_not_be_held(tx: Tx, server: ServerCard) -> None:
    """Refuses to start, stop or restart a server that somebody holds. Whoever is just holding it is waited for, which
    takes a lock: only for units of work that leave an audit row.

    Raises:
        Conflict: with the owner, the age and the reason of the hold.
    """
    await holds.settled(tx.session, tx.actor.org, server.id)
    now = clock.now()
    rest = (await left_alone(tx.session, tx.actor.org, [server.id], now)).get(server.id)
    if rest is not None and rest.kind == "hold":
        raise _refused(server.name, rest, now)


def _refused(name: str, rest: Rest, now: datetime) -> Conflict:
    return Conflict(
        f"{safe(name)} is {safe(rest.words(now), 300)}.",
        "Talk to whoever holds it, or `/server release` it first. `/server kill` works all the same.",
    )


class Holds:
    """`/server hold` and `/server release`, and their end by itself."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def hold(self, actor: Actor, ref: str, reason: str, duration: str = "") -> Done:
        """Lets people, schedules, batches and the server's host leave a server alone; without a duration until
        somebody releases it.

        Raises:
            NotFound, NotPermitted, Invalid, Conflict: it is held already.
        """
        why = " ".join(reason.split())
        if not why:
            raise Invalid("A hold needs a reason.", "Others read it when they want to do something to the server.")
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, _PERMISSION)
            end = await _end(tx, duration)
            planned = await _called_off(tx, server, why)  # before the server's row, which the end of a job changes
            if not await fleet.lock(tx.session, actor.org, server.id):
                raise NotFound(f"{safe(server.name)} was removed meanwhile.", "`/server list` shows what there is.")
            await _sweep(tx, server.id)
            said = await _write(tx, server, why, end, planned)
            if planned:
                await power_telling.tell(tx, server, called_off(planned))
            tx.audit(
                "server.hold",
                resource=("server", server.id),
                name=server.name,
                reason=why,
                until=end.isoformat() if end else None,
                **({"calledOff": planned} if planned else {}),
            )
        return Done(f"{safe(server.name)} is held", "\n".join(said))

    async def release(self, actor: Actor, ref: str, *, since: str = "") -> Done:
        """Ends a hold, one's own or somebody else's; with `since` only the one that began then (`stamp`).

        Raises:
            NotFound, NotPermitted, Conflict: it is not held, or by another hold.
        """
        async with self._db.uow(actor) as tx:
            server = await permitted(tx, ref, _PERMISSION)
            await fleet.lock(tx.session, actor.org, server.id)  # before its host, as everybody does
            hold = await holds.release(tx.session, actor.org, server.id)
            now = clock.now()
            if hold is None:
                raise Conflict(f"{safe(server.name)} is not held.", "`/server show` says how it is.")
            if since and since != stamp(hold.since.timestamp()):
                raise Conflict(
                    f"That hold is over; {safe(server.name)} is held again, by {safe(hold.by or 'somebody')}.",
                    "`/server release` ends the new one too.",
                )
            own = hold.author_id is not None and hold.author_id == actor.user_id
            await holds.changed(tx.session, actor.org, server.id, now)
            await _edit(tx, hold, ended_by=actor.name)
            tx.audit(
                "server.release", resource=("server", server.id), name=server.name, heldBy=hold.by, reason=hold.reason
            )
        whose = "you" if own else safe(hold.by or "somebody")
        text = f"It was held by {whose} for {rough(now - hold.since)}: {safe(hold.reason, 300)}"
        return Done(f"{safe(server.name)} is released", text)

    async def expire(self) -> dict[str, int]:
        """The tick: ends what is over, wherever this process was when it ended. One that fails stops none of the
        others."""
        async with self._db.read() as session:
            over = await holds.expired(session, clock.now())
        return {"ended": sum(await each(over, self._over))}

    async def _over(self, found: tuple[UUID, UUID]) -> bool:
        org_id, server_id = found
        async with self._db.uow(system(_DUTY, org_id)) as tx:
            return await _sweep(tx, server_id)


async def _end(tx: Tx, duration: str) -> datetime | None:
    if not duration.strip():
        return None
    try:
        return end_of(duration, clock.now(), zones.zone(await config.zone(tx.session, tx.actor.org)))
    except ValueError as error:
        raise Invalid(str(error), "Such as `2h` or `friday 18:00`; without it the hold ends when released.") from error


async def _called_off(tx: Tx, server: ServerCard, reason: str) -> Planned | None:
    """Ends what was planned there, at once: it could be due before anybody looks. What it was."""
    plan = await power.of_server(tx.session, tx.actor.org, server.id)
    ended = plan and await power_plans.overrun(tx, plan, reason=f"it was held meanwhile: {reason}")
    return plan.action if plan and ended else None


async def _write(tx: Tx, server: ServerCard, reason: str, end: datetime | None, planned: Planned | None) -> list[str]:
    """The hold, its message, and the word to the host; what to say of it."""
    session, org_id, now = tx.session, tx.actor.org, clock.now()
    if not await holds.add(session, org_id, server.id, reason=reason, author=tx.actor.user_id, until=end, now=now):
        raise await _held_already(tx, server)
    await holds.changed(session, org_id, server.id, now)
    channel = await _tell(tx, server, reason, now, end)
    return _said(end, channel, await servers.live_power_job(session, org_id, server.id), planned)


async def _held_already(tx: Tx, server: ServerCard) -> Conflict:
    now = clock.now()
    rest = (await left_alone(tx.session, tx.actor.org, [server.id], now)).get(server.id)
    if rest is None:  # it ended in this moment
        return Conflict(f"{safe(server.name)} was just being released.", "Try again.")
    return Conflict(
        f"{safe(server.name)} is {safe(rest.words(now), 300)}.",
        "A server has one hold at a time: `/server release` ends this one.",
    )


async def _sweep(tx: Tx, server_id: UUID) -> bool:
    """Takes away a hold whose time is over, and says so; within the caller's unit of work, which may do more."""
    await fleet.lock(tx.session, tx.actor.org, server_id)
    now = clock.now()
    hold = await holds.expire(tx.session, tx.actor.org, server_id, now)
    if hold is None:
        return False
    await holds.changed(tx.session, hold.org_id, server_id, now)
    await _edit(tx, hold, ended_by="")
    if tx.actor.type == "system":
        tx.audit("server.hold.end", resource=("server", server_id), name=hold.server_name, heldBy=hold.by)
    if not hold.removed and (channel := await outbox.channel_for(tx, tx.actor, "ops")):
        await outbox.post(
            tx.session,
            org_id=hold.org_id,
            channel_id=channel,
            event_type="server.hold.ended",
            payload=_facts(hold.server_name, hold.by, hold.reason, hold.since, hold.until),
            dedupe_key=f"server.hold.ended:{_subject(server_id, hold.since)}",
        )
        await tx.notify(outbox.NOTIFY)
    return True


async def _tell(tx: Tx, server: ServerCard, reason: str, since: datetime, end: datetime | None) -> int | None:
    """A message for those who wonder why nothing happens to the server; its channel."""
    channel = await outbox.channel_for(tx, tx.actor, "ops")
    if channel:
        payload = {"server": str(server.id), **_facts(server.name, tx.actor.name, reason, since, end)}
        await outbox.post_tracked(tx, _KIND, _subject(server.id, since), channel, "server.held", payload)
    return channel


async def _edit(tx: Tx, hold: Hold, *, ended_by: str) -> None:
    facts = _facts(hold.server_name, hold.by, hold.reason, hold.since, hold.until)
    payload = {**facts, "endedBy": ended_by, "endedAt": clock.now().timestamp()}
    subject = _subject(hold.server_id, hold.since)
    await outbox.edit_tracked(tx, hold.org_id, _KIND, subject, "server.released", payload)


def _facts(name: str, by: str | None, reason: str, since: datetime, end: datetime | None) -> dict[str, Any]:
    """What the messages of a hold show; when they are sent it may be over."""
    return {
        "name": name,
        "by": by or "",
        "reason": reason,
        "since": since.timestamp(),
        "until": end.timestamp() if end else None,
    }


def _subject(server_id: UUID, since: datetime) -> str:
    return f"{server_id}:{stamp(since.timestamp())}"


def _said(end: datetime | None, channel: int | None, waiting: int | None, planned: Planned | None) -> list[str]:
    lines = [
        f"Until <t:{end.timestamp():.0f}:f>, <t:{end.timestamp():.0f}:R>." if end else "Until somebody releases it.",
        "People, schedules and batches leave it alone. Its host does not start it again after a crash, once it has "
        "heard of this with its next heartbeat.",
    ]
    if waiting:
        lines.append(f"J-{waiting} is waiting or under way there and goes on; `/server cancel` cancels it.")
    if planned:
        lines.append(f"The {planned} that was planned there is called off.")
    return [*lines, *([f"Others read it in <#{channel}>."] if channel else [])]
