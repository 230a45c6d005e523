"""Roles and exceptions of single people: `/access grant`, `allow`, `deny`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import role_words, until, zones
from bot.domain.access import Grants
from bot.domain.actors import Actor
from bot.domain.permissions import PERMISSIONS
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.access_bindings import role_of
from bot.services.access_guards import ADMINISTERS, Guard
from bot.services.access_people import Person, grants_of, is_self, known
from bot.services.access_places import Place, place, require
from bot.services.confirmations import Done
from db.engine import Database
from db.queries import access_roles, access_write, config
from db.queries.access_roles import RoleCard
from db.queries.access_write import Exceptional
from db.uow import Tx

_NO_EFFECT: Final = "They own this Discord server or are its Administrator, so it changes nothing for them now."


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What `/access allow` and `deny` are given. An empty server means everywhere, an empty `until` for good."""

    permission: str
    granted: bool
    server: str = ""
    until: str = ""
    reason: str = ""


class AccessMembers:
    """What a person gets besides what their Discord roles bring."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def grant(self, actor: Actor, person: Person, ref: str, server: str = "", until_text: str = "") -> Done:
        """Gives somebody a role of their own: in the whole org beside those of their Discord roles, on a server in
        place of all others.

        Raises:
            NotFound, NotPermitted, Invalid, Conflict: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            where = await place(tx.session, actor, server)
            user_id = await known(tx, person)
            before, ended = await _held(tx, user_id, where)
            role, end = await role_of(tx.session, actor.org, ref), await ending(tx, until_text)
            if before and (before.id, ended) == (role.id, end):
                raise Conflict(f"{safe(person.display_name)} is {_role(role, where, end)} already.", "Nothing to do.")
            await _may_grant(tx, guard, person, role, before, where, end)
            await _write_role(tx, user_id, role, where, end)
            left = await guard.finish()
            await tx.notify("gk_access", str(actor.org))
            tx.audit(
                "access.grant",
                resource=("user", user_id),
                name=person.display_name,
                where=where.kept,
                before=role_words.kept(before.name, ended) if before else None,
                after=role_words.kept(role.name, end),
            )
        return Done(
            f"{safe(person.display_name)} is {_role(role, where, end)}",
            _lines(
                f"Before: {_role(before, where, ended)}." if before else "They had no role of their own there.",
                "There it counts in place of all their other roles." if where.server_id else "",
                _NO_EFFECT if person.break_glass else "",
                left,
            ),
        )

    async def decide(self, actor: Actor, person: Person, wish: Wish) -> Done:
        """Allows or denies somebody a single permission, whatever their roles say.

        Raises:
            NotFound, NotPermitted, Invalid, Conflict: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await Guard.begin(tx)
            where = await place(tx.session, actor, wish.server)
            await require(tx, "users.permissions", where)
            name, end = permission_of(wish.permission), await ending(tx, wish.until)
            theirs = await grants_of(tx.session, actor.org, person, clock.now())
            guard.must_reach_person(person.display_name, theirs, where)
            user_id = await known(tx, person)
            before = await _exception(tx, user_id, name, where)
            await _may_decide(guard, name, where, before, end, granted=wish.granted)
            await _write_exception(tx, user_id, name, where, wish, end)
            left = await _finish(guard, actor, person, lost=None if wish.granted or where.server_id else name)
            await tx.notify("gk_access", str(actor.org))
            tx.audit(
                "access.allow" if wish.granted else "access.deny",
                resource=("user", user_id),
                name=person.display_name,
                permission=name,
                where=where.kept,
                before=role_words.kept(role_words.verdict(before.granted), before.expires_at) if before else None,
                after=role_words.kept(role_words.verdict(wish.granted), end),
                **({"reason": wish.reason} if wish.reason else {}),
            )
        verdict = f"{role_words.verdict(wish.granted)} `{name}` {where.words}{role_words.until(end)}"
        return Done(
            f"{safe(person.display_name)} is {verdict}",
            _lines(
                _before(before),
                f"Why: {safe(wish.reason, 300)}" if wish.reason else "",
                _NO_EFFECT if person.break_glass else "",
                left,
            ),
        )


async def _held(tx: Tx, user_id: UUID, where: Place) -> tuple[RoleCard | None, datetime | None]:
    """The role that somebody has themselves in that place, and its end. Who has none at all needs another permission
    to be given one."""
    own = await access_write.own_role(tx.session, tx.actor.org, user_id)
    placed = await access_write.server_roles(tx.session, tx.actor.org, user_id, clock.now())
    await require(tx, "users.edit" if own or placed else "users.create", where)
    if where.server_id is None:
        return await _card(tx, own), None
    there = next((one for one in placed if one.server_id == where.server_id), None)
    return (await _card(tx, there.role_id), there.expires_at) if there else (None, None)


async def _card(tx: Tx, role_id: UUID | None) -> RoleCard | None:
    return await access_roles.card(tx.session, tx.actor.org, clock.now(), role_id=role_id) if role_id else None


async def _may_grant(
    tx: Tx, guard: Guard, person: Person, role: RoleCard, before: RoleCard | None, where: Place, end: datetime | None
) -> None:
    theirs = await grants_of(tx.session, tx.actor.org, person, clock.now())
    guard.must_reach_person(person.display_name, theirs, where)
    for touched in filter(None, (before, role)):
        guard.must_reach(touched, where)
    await guard.must_give(role.permissions, where, end)
    if where.server_id is None:
        await guard.must_hold(before.permissions if before else ())
        return
    await guard.must_hold(by_roles(theirs, where.server_id, clock.now()), where)
    if before:  # what it held back comes back when the new one ends
        await guard.must_give(beneath(theirs, where.server_id), where)


async def _may_decide(
    guard: Guard, permission: str, where: Place, before: Exceptional | None, end: datetime | None, *, granted: bool
) -> None:
    await guard.must_hold([permission], where)
    if granted:
        await guard.must_give([permission], where, end)
    if before and not before.granted:  # what it held back comes back when the new one ends
        await guard.must_give([permission], where)


async def _exception(tx: Tx, user_id: UUID, permission: str, where: Place) -> Exceptional | None:
    found = await access_write.overrides(tx.session, tx.actor.org, user_id, clock.now())
    return next((one for one in found if (one.permission, one.server_id) == (permission, where.server_id)), None)


async def _write_exception(
    tx: Tx, user_id: UUID, permission: str, where: Place, wish: Wish, end: datetime | None
) -> None:
    await access_write.set_override(
        tx.session,
        {
            "org": tx.actor.org,
            "user": user_id,
            "permission": permission,
            "server": where.server_id,
            "granted": wish.granted,
            "reason": wish.reason or None,
            "by": tx.actor.user_id,
            "until": end,
            "now": clock.now(),
        },
    )


async def _finish(guard: Guard, actor: Actor, person: Person, *, lost: str | None) -> str:
    """`lost`: what the person was denied in the whole org. Without that one they are no administrator any more,
    whatever their Discord roles bring."""
    if lost != ADMINISTERS:
        return await guard.finish()
    roles = person.role_ids - {actor.guild_id or 0}
    return await guard.finish(denied=roles, oneself=is_self(actor, person))


def by_roles(grants: Grants, server_id: UUID | None, now: datetime) -> frozenset[str]:
    """What somebody has there through roles: that of the server, or else all that count there."""
    for placed in grants.server_roles:
        if placed.server_id == server_id and (placed.expires_at is None or placed.expires_at > now):
            return placed.permissions
    return beneath(grants, server_id)


def beneath(grants: Grants, server_id: UUID | None) -> frozenset[str]:
    """What they have there where no role of the server takes the place of all others."""
    return frozenset[str]().union(*(role.permissions for role in grants.roles if role.on(server_id)))


def permission_of(text: str) -> str:
    """The permission that somebody means.

    Raises:
        NotFound: there is none of that name.
    """
    name = text.strip().lower()
    if name not in PERMISSIONS:
        raise NotFound(f"There is no permission {safe(text, 60)}.", "Pick one of the suggestions.")
    return name


async def ending(tx: Tx, text: str) -> datetime | None:
    """The moment that `until` means, by the org's clock; None for an empty text.

    Raises:
        Invalid: it is over, or none.
    """
    if not text.strip():
        return None
    try:
        return until.parse(text, clock.now(), zones.zone(await config.zone(tx.session, tx.actor.org)))
    except ValueError as error:
        raise Invalid(str(error), "Nothing was changed.") from error


async def _write_role(tx: Tx, user_id: UUID, role: RoleCard, where: Place, end: datetime | None) -> None:
    if where.server_id is None:
        if end:
            raise Invalid(
                "A role for the whole community has no end.",
                "Give it on a `server`, or leave `until` out; `/access allow` can end everywhere.",
            )
        await access_write.set_own_role(tx.session, tx.actor.org, user_id, role.id)
        return
    values = {"org": tx.actor.org, "user": user_id, "server": where.server_id, "role": role.id}
    await access_write.set_server_role(tx.session, {**values, "by": tx.actor.user_id, "until": end, "now": clock.now()})


def _role(role: RoleCard, where: Place, end: datetime | None) -> str:
    return f"{safe(role.name)} {where.words}{role_words.until(end)}"


def _before(before: Exceptional | None) -> str:
    if before is None:
        return "There was no exception for this before."
    why = f" ({safe(before.reason, 200)})" if before.reason else ""
    return f"Before: {role_words.verdict(before.granted)}{role_words.until(before.expires_at)}{why}."


def _lines(*lines: str) -> str:
    return "\n".join(filter(None, lines))
