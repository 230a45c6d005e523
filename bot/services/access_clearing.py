"""Taking back what single people were given: `/access clear`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import role_words
from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Invalid, NotFound
from bot.services.access_guards import Guard
from bot.services.access_members import beneath, permission_of
from bot.services.access_people import Person, grants_of
from bot.services.access_places import EVERYWHERE, Place, place, require
from bot.services.confirmations import Done
from db.engine import Database
from db.queries import access_roles, access_show, access_write
from db.queries.access_roles import RoleCard
from db.queries.access_write import Exceptional, PlacedRole
from db.uow import Tx

WHAT: Final = ("everything", "role", "server roles", "exceptions")
_SHOWN: Final = 15


@dataclass(frozen=True)
class _Found:
    """What somebody has of their own, as far as it was meant."""

    role: RoleCard | None
    placed: list[tuple[PlacedRole, RoleCard]]
    exceptions: list[Exceptional]
    servers: dict[UUID, str]

    def __bool__(self) -> bool:
        return bool(self.role or self.placed or self.exceptions)

    def where(self, server_id: UUID | None) -> Place:
        return Place(server_id, self.servers[server_id]) if server_id else EVERYWHERE


class AccessClearing:
    """`/access clear`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def clear(self, actor: Actor, person: Person, what: str, permission: str = "", server: str = "") -> Done:
        """Takes a person's own role, server roles and exceptions away, or some of them. What their Discord roles
        bring stays.

        Raises:
            NotFound, NotPermitted, Invalid, Conflict: nothing was changed.
        """
        if permission.strip() and what not in ("", "everything", "exceptions"):
            raise Invalid("A permission is an exception, not a role.", "Leave `what` or `permission` out.")
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            where = await place(tx.session, actor, server)
            await require(tx, "users.delete", where)
            name = permission_of(permission) if permission.strip() else ""
            user_id = await access_show.user(tx.session, person.discord_id)
            found = await _found(tx, user_id, "exceptions" if name else what or "everything", name, where)
            if user_id is None or not found:
                raise NotFound(
                    f"{safe(person.display_name)} has nothing of their own that this would take away.",
                    "`/access show` lists what they have. What Discord roles bring goes with `/access unbind`.",
                )
            await _may_clear(tx, guard, person, found, where)
            await _take(tx, user_id, found)
            left = await guard.finish()
            await tx.notify("gk_access", str(actor.org))
            tx.audit(
                "access.clear",
                resource=("user", user_id),
                name=person.display_name,
                where=where.kept,
                before=_listed(found, _kept),
                after=None,
            )
        return Done(f"{safe(person.display_name)} lost what was their own {where.words}", _answer(found, left))


async def _found(tx: Tx, user_id: UUID | None, what: str, permission: str, where: Place) -> _Found:
    if user_id is None:
        return _Found(None, [], [], {})
    org, now = tx.actor.org, clock.now()
    own = await access_write.own_role(tx.session, org, user_id) if where.server_id is None else None
    placed = await access_write.server_roles(tx.session, org, user_id, now)
    exceptions = await access_write.overrides(tx.session, org, user_id, now)
    if where.server_id:
        placed = [one for one in placed if one.server_id == where.server_id]
        exceptions = [one for one in exceptions if one.server_id == where.server_id]
    if permission:
        exceptions = [one for one in exceptions if one.permission == permission]
    placed = placed if what in ("everything", "server roles") else []
    cards = {one.role_id: await access_roles.card(tx.session, org, now, role_id=one.role_id) for one in placed}
    ids = {one.server_id for one in (*placed, *exceptions) if one.server_id}
    return _Found(
        await access_roles.card(tx.session, org, now, role_id=own) if own and what in ("everything", "role") else None,
        [(one, role) for one in placed if (role := cards[one.role_id])],
        exceptions if what in ("everything", "exceptions") else [],
        await access_show.servers(tx.session, org, ids) if ids else {},
    )


async def _may_clear(tx: Tx, guard: Guard, person: Person, found: _Found, where: Place) -> None:
    theirs = await grants_of(tx.session, tx.actor.org, person, clock.now())
    guard.must_reach_person(person.display_name, theirs, where)
    if found.role:
        guard.must_reach(found.role)
        await guard.must_hold(found.role.permissions)
    for placed, role in found.placed:
        there = found.where(placed.server_id)
        guard.must_reach_person(person.display_name, theirs, there)
        guard.must_reach(role, there)
        await guard.must_hold(role.permissions, there)
        await guard.must_give(beneath(theirs, placed.server_id), there)
    for one in found.exceptions:
        back = guard.must_hold if one.granted else guard.must_give
        await back([one.permission], found.where(one.server_id))


async def _take(tx: Tx, user_id: UUID, found: _Found) -> None:
    org = tx.actor.org
    if found.role:
        await access_write.set_own_role(tx.session, org, user_id, None)
    await access_write.clear_server_roles(tx.session, org, user_id, [placed.server_id for placed, _ in found.placed])
    await access_write.clear_overrides(tx.session, org, user_id, [one.id for one in found.exceptions])


def _listed(found: _Found, written: Callable[[str, Place, datetime | None], str]) -> list[str]:
    """`written`: how a role or an exception, its place and its end are put."""
    lines = [written(found.role.name, EVERYWHERE, None)] if found.role else []
    lines += [written(role.name, found.where(placed.server_id), placed.expires_at) for placed, role in found.placed]
    lines += [
        written(f"{role_words.verdict(one.granted)} {one.permission}", found.where(one.server_id), one.expires_at)
        for one in found.exceptions
    ]
    return lines


def _kept(what: str, where: Place, end: datetime | None) -> str:
    return role_words.kept(f"{what} {where.kept}", end)


def _shown(what: str, where: Place, end: datetime | None) -> str:
    return f"- {safe(what)} {where.words}{role_words.until(end)}"


def _answer(found: _Found, left: str) -> str:
    lines = _listed(found, _shown)
    more = [f"- and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    back = "On servers where they had a role their other roles count again." if found.placed else ""
    return "\n".join(filter(None, [*lines[:_SHOWN], *more, back, left]))
