"""`/fleet tag`: a tag carries rights, schedules and maintenance with it, so it is given like them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import tags as rules
from bot.domain.actors import Actor
from bot.domain.jobs import JOBS, JobType
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.access_guards import Guard, must_suit_everyone
from bot.services.access_places import Place
from bot.services.servers import VIEW, permitted, resolve
from db.engine import Database
from db.queries import access_roles, fleet, tags
from db.queries.cards import ServerCard
from db.uow import Tx

EDIT: Final = "servers.edit"
_SCHEDULES: Final = "schedules.manage"


@dataclass(frozen=True)
class Carried:
    """What some tags bring to a server, as far as the reader may see it."""

    bindings: Sequence[tags.Bound] = ()
    schedules: Sequence[tags.Scheduled] = ()
    windows: Sequence[tags.Window] = ()


@dataclass(frozen=True)
class Tagged:
    """A server after its tags were changed."""

    name: str
    tags: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    gained: Carried
    lost: Carried
    left: str
    """Says that nobody but the owner can change rights now; mostly empty."""


class FleetTags:
    """Gives tags to servers and takes them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def known(self, actor: Actor, typed: str) -> list[str]:
        """For autocompletes: the typed list, completed by tags of servers that the actor sees."""
        start = typed.replace(",", " ").lower().split()[-1:] if typed and typed[-1] not in ", " else []
        if not actor.may(VIEW):
            return []
        async with self._db.read() as session:
            found = await tags.counted(session, actor.org, "".join(start), scope=actor.scope(VIEW))
        return rules.completed(typed, [tag for tag, _ in found])

    async def worn(self, actor: Actor, ref: str, typed: str) -> list[str]:
        """For autocompletes: the same by the tags of one server."""
        if not ref or not actor.may(VIEW):
            return []
        async with self._db.read() as session:
            try:
                server = await resolve(session, actor.org, ref, actor.scope(VIEW))
            except NotFound:
                return []
        return rules.completed(typed, list(server.tags) if actor.may_on(VIEW, server.id) else [])

    async def change(self, actor: Actor, ref: str, add: str, remove: str) -> Tagged:
        """Changes the tags of a server. Who gives or takes one gives or takes the rights bound to it, and lets the
        schedules for it begin or end there.

        Raises:
            NotFound, Invalid, NotPermitted, Conflict: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            server = await permitted(tx, ref, EDIT)
            wanted, unwanted = _understood(add, remove)
            if not await fleet.lock(tx.session, actor.org, server.id):
                raise NotFound(f"{safe(server.name)} was removed meanwhile.", "`/server list` shows what there is.")
            before = await tags.of(tx.session, actor.org, server.id)
            added, removed = _differing(server, before, wanted, unwanted)
            gained = await self._carried(tx, server.id, added)
            lost = await self._carried(tx, server.id, removed)
            await _guarded(tx, guard, server, gained, lost)
            await tags.remove(tx.session, actor.org, server.id, removed)
            await tags.add(tx.session, actor.org, server.id, added)
            left = await guard.finish()
            await tx.notify("gk_access", str(actor.org))
            after = sorted({*before, *added} - {*removed})
            details = {"name": server.name, "added": added, "removed": removed, "after": after}
            tx.audit("fleet.tag", resource=("server", server.id), **details)
        seen_gain, seen_loss = _shown(actor, server.id, gained), _shown(actor, server.id, lost)
        return Tagged(server.name, after, added, removed, seen_gain, seen_loss, left)

    async def _carried(self, tx: Tx, server_id: UUID, changed: Collection[str]) -> Carried:
        if not changed:
            return Carried()
        session, org = tx.session, tx.actor.org
        return Carried(
            await tags.bindings(session, org, changed),
            await tags.schedules(session, org, changed, server_id),
            await tags.windows(session, org, changed, clock.now()),
        )


def _understood(add: str, remove: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        wanted, unwanted = rules.parse(add), rules.parse(remove)
    except ValueError as error:
        raise Invalid(f"{safe(str(error), 120)}.", "Separate several by commas; nothing was changed.") from error
    if not wanted and not unwanted:
        raise Invalid("There is nothing to add and nothing to remove.", "Give `add`, `remove` or both.")
    if both := [tag for tag in wanted if tag in unwanted]:
        raise Invalid(f"`{both[0]}` is to be added and removed.", "Give it once; nothing was changed.")
    return wanted, unwanted


def _differing(
    server: ServerCard, before: Sequence[str], wanted: Sequence[str], unwanted: Sequence[str]
) -> tuple[list[str], list[str]]:
    added = [tag for tag in wanted if tag not in before]
    removed = [tag for tag in unwanted if tag in before]
    has = f"It has {joined([f'`{tag}`' for tag in before])}." if before else "It has no tags."
    if not added and not removed:
        raise Conflict(f"That changes nothing on {safe(server.name)}.", has)
    if len(before) + len(added) - len(removed) > rules.MOST:
        raise Invalid(f"A server has at most {rules.MOST} tags.", f"{has} Remove some with `remove`.")
    return added, removed


async def _guarded(tx: Tx, guard: Guard, server: ServerCard, gained: Carried, lost: Carried) -> None:
    """Whoever tags needs what they would need to bind the role there, to schedule the same there, and to begin or end
    the same maintenance."""
    where, now = Place(server.id, server.name), clock.now()
    for bound in [*gained.bindings, *lost.bindings]:
        role = await access_roles.card(tx.session, tx.actor.org, now, role_id=bound.role_id)
        if role is None:
            continue
        guard.must_reach(role, where)
        await guard.must_hold(role.permissions, where)
        if bound in gained.bindings:
            await guard.must_give(role.permissions, where)
            if bound.everyone:
                must_suit_everyone(role.permissions)
    if gained.schedules or lost.schedules or gained.windows or lost.windows:
        await tx.require(_SCHEDULES, server_id=server.id)
    for job_type in sorted({name for schedule in gained.schedules for name in schedule.job_types}):
        await tx.require(JOBS[JobType(job_type)].permission, server_id=server.id)


def _shown(actor: Actor, server_id: UUID, carried: Carried) -> Carried:
    return Carried(
        carried.bindings if actor.may_on("users.view", server_id) else (),
        carried.schedules if actor.may_on("schedules.view", server_id) else (),
        carried.windows,
    )
