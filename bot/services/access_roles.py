"""The roles of an org: `/access role create|edit|delete|list`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.domain.role_words import place, through, until
from bot.domain.roles import AREAS, HIGHEST, LONGEST_NAME, digest
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid
from bot.services.access_bindings import role_of
from bot.services.access_guards import ADMINISTERS, Guard, Overreach, must_suit_everyone
from bot.services.access_places import Place
from bot.services.confirmations import Done, Question, ask
from bot.services.servers import PAGE, Page, must_see
from db.engine import Database
from db.queries import access_roles, access_show
from db.queries.access_roles import RoleCard
from db.uow import Tx

_ROOM: Final = 800
_SUGGESTS: Final = ("users.view", "users.create", "users.edit", "users.permissions")


@dataclass(frozen=True)
class Edited:
    """A role as it is now, and what its editor should know."""

    role: RoleCard
    note: str = ""


class AccessRoles:
    """What a role may do. Who holds it: `AccessBindings`, `AccessMembers`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor, page: int = 0) -> Page[RoleCard]:
        """The highest first."""
        async with self._db.read() as session:
            await must_see(session, actor, ADMINISTERS, None)
            rows = await access_roles.cards(session, actor.org, clock.now(), limit=PAGE + 1, offset=page * PAGE)
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str) -> list[RoleCard]:
        """For autocompletes."""
        if not any(actor.may(permission) for permission in _SUGGESTS):
            return []
        async with self._db.read() as session:
            return await access_roles.cards(session, actor.org, clock.now(), words=words.strip(), limit=25)

    async def create(self, actor: Actor, name: str, priority: int, like: str = "", description: str = "") -> Edited:
        """A new role, with the permissions of the one it is `like`, or none.

        Raises:
            NotPermitted, Invalid, Conflict, NotFound: there is none now.
        """
        async with self._db.uow(actor) as tx:
            guard = await _begun(tx)
            source = await role_of(tx.session, actor.org, like) if like.strip() else None
            name = await _free_name(tx.session, actor.org, name)
            _must_be_below(guard, priority)
            given = source.permissions if source else []
            await guard.must_give(given)
            role_id = await access_roles.add(tx.session, actor.org, name, description.strip(), priority, clock.now())
            await access_roles.change_permissions(tx.session, actor.org, role_id, given=given, taken=())
            made = await role_of(tx.session, actor.org, str(role_id))
            tx.audit("access.role.create", resource=("role", role_id), name=name, before=None, after=_state(made))
        return Edited(made, "Nobody has it yet: `/access bind` and `/access grant` give it.")

    async def edit(
        self, actor: Actor, ref: str, name: str = "", priority: int | None = None, description: str = ""
    ) -> Edited:
        """Changes what is given; with nothing given it only looks.

        Raises:
            NotPermitted, Invalid, Conflict, NotFound: nothing was changed.
        """
        if not name.strip() and priority is None and not description.strip():
            async with self._db.read() as session:
                await must_see(session, actor, ADMINISTERS, None)
                return Edited(await role_of(session, actor.org, ref))
        async with self._db.uow(actor) as tx:
            guard = await _begun(tx)
            role = await role_of(tx.session, actor.org, ref)
            guard.must_reach(role)
            called = await _new_name(tx.session, actor.org, role, name)
            rank = role.priority if priority is None else priority
            if rank != role.priority:
                _must_be_below(guard, rank)
            await access_roles.edit(
                tx.session, actor.org, role.id, called, description.strip() or role.description, rank, clock.now()
            )
            return await _changed(tx, guard, role)

    async def choose(
        self, actor: Actor, role_id: UUID, area: str, chosen: Collection[str], *, shown: str | None = None
    ) -> Edited:
        """Of the permissions of an area the role has these, and only these. `shown`: the `digest` of those that it had
        where they were chosen, so that nobody gives back unknowingly what somebody else has just taken.

        Raises:
            NotPermitted, Invalid, Conflict, NotFound: nothing was changed.
        """
        if area not in AREAS or not set(chosen) <= set(AREAS[area][1]):
            raise Invalid("These are no permissions of this area.", "Open the role again with `/access role edit`.")
        async with self._db.uow(actor) as tx:
            guard = await _begun(tx)
            role = await role_of(tx.session, actor.org, str(role_id))
            if shown not in (None, digest(role.permissions, area)):
                raise Conflict(
                    f"{safe(role.name)} was changed since this was opened, and stays as it is.",
                    "Open it again with `/access role edit`, and choose from what it may do now.",
                )
            had = set(role.permissions) & set(AREAS[area][1])
            return await _set(tx, guard, role, given=set(chosen) - had, taken=had - set(chosen))

    async def restore(self, actor: Actor, role_id: UUID) -> Edited:
        """A preset may again what it could when it came.

        Raises:
            NotPermitted, Invalid, Conflict, NotFound: nothing was changed.
        """
        async with self._db.uow(actor) as tx:
            guard = await _begun(tx)
            role = await role_of(tx.session, actor.org, str(role_id))
            preset = next((one for one in PRESETS if role.is_preset and one.name == role.name), None)
            if preset is None:
                raise Conflict(f"{safe(role.name)} is a role of your own.", "Only presets can be put back.")
            had = set(role.permissions)
            if preset.priority != role.priority:
                _must_be_below(guard, preset.priority)
            await access_roles.edit(
                tx.session, actor.org, role.id, role.name, role.description, preset.priority, clock.now()
            )
            return await _set(tx, guard, role, given=preset.permissions - had, taken=had - preset.permissions)

    async def ask_delete(self, actor: Actor, ref: str) -> Question:
        """Says who holds the role before it goes.

        Raises:
            NotPermitted, Conflict, NotFound: it cannot be deleted.
        """
        async with self._db.uow(actor) as tx:
            guard = await _begun(tx)
            role = await role_of(tx.session, actor.org, ref)
            await _may_delete(tx, guard, role)
            tx.audit("access.role.delete.ask", resource=("role", role.id), name=role.name)
            return await ask(
                tx,
                "access.role.delete",
                {"role": str(role.id), "held": await _held(tx, role)},
                title=f"Delete the role {safe(role.name)}?",
                effect=await _effect(tx, role),
                verb=f"Delete {role.name}",
            )

    async def deleted(self, tx: Tx, payload: dict[str, Any]) -> Done:
        """Carries a confirmed deletion out; who holds it now has to be who was named."""
        guard = await _begun(tx)
        role = await role_of(tx.session, tx.actor.org, payload["role"])
        await _may_delete(tx, guard, role)
        held = await _held(tx, role)
        if held != payload["held"]:
            raise Conflict(f"Who holds {safe(role.name)} has changed since.", "Give the command again.")
        await access_roles.remove(tx.session, tx.actor.org, role.id)
        left = await guard.finish()
        await tx.notify("gk_access", str(tx.actor.org))
        tx.audit(
            "access.role.delete",
            resource=("role", role.id),
            name=role.name,
            before={**_state(role), "held": held},
            after=None,
        )
        return Done(f"The role {safe(role.name)} is deleted", left)


async def _begun(tx: Tx) -> Guard:
    guard = await Guard.begin(tx)
    await tx.require("users.permissions")
    return guard


async def _set(tx: Tx, guard: Guard, role: RoleCard, *, given: Collection[str], taken: Collection[str]) -> Edited:
    guard.must_reach(role)
    await guard.must_give(given)
    await guard.must_hold(taken)
    if role.for_everyone:
        must_suit_everyone(given)
    await access_roles.change_permissions(tx.session, tx.actor.org, role.id, given=given, taken=taken)
    return await _changed(tx, guard, role, given=sorted(given), taken=sorted(taken))


async def _changed(tx: Tx, guard: Guard, before: RoleCard, **details: list[str]) -> Edited:
    """What every change of a role ends with."""
    left = await guard.finish()
    await tx.notify("gk_access", str(tx.actor.org))
    after = await role_of(tx.session, tx.actor.org, str(before.id))
    tx.audit(
        "access.role.edit",
        resource=("role", before.id),
        name=after.name,
        before=_state(before),
        after=_state(after),
        **details,
    )
    return Edited(after, left)


def _state(role: RoleCard) -> dict[str, Any]:
    """For the audit log."""
    return {
        "name": role.name,
        "priority": role.priority,
        "description": role.description,
        "permissions": sorted(role.permissions),
    }


def _must_be_below(guard: Guard, priority: int) -> None:
    if not 0 <= priority <= HIGHEST:
        raise Invalid(f"A priority is a number from 0 to {HIGHEST}.", "`/access role list` shows those of others.")
    if not guard.free and priority >= guard.rank:
        raise Overreach(
            f"A priority of {priority} is not below your own rank, which is {max(guard.rank, 0)}.",
            "Take a lower one, or ask the owner; nothing was changed.",
        )


async def _new_name(session: AsyncSession, org_id: UUID, role: RoleCard, name: str) -> str:
    if not name.strip() or name.strip() == role.name:
        return role.name
    if role.is_preset:
        raise Conflict(
            f"{safe(role.name)} is a preset and keeps its name.", "`/access role create` makes a role of another name."
        )
    return await _free_name(session, org_id, name, besides=role.id)


async def _free_name(session: AsyncSession, org_id: UUID, text: str, besides: UUID | None = None) -> str:
    name = " ".join(text.split())
    if not any(char.isalnum() for char in name) or len(name) > LONGEST_NAME:
        raise Invalid(f"A role needs a name of 1 to {LONGEST_NAME} letters or digits.", "Choose another name.")
    found = await access_roles.card(session, org_id, clock.now(), name=name)
    if found and found.id != besides:
        raise Conflict(f"There is a role {safe(found.name)} already.", "Choose another name, or edit that one.")
    return name


async def _may_delete(tx: Tx, guard: Guard, role: RoleCard) -> None:
    if role.is_preset:
        raise Conflict(
            f"{safe(role.name)} is a preset, which stays.",
            "Take its permissions away, or unbind it with `/access unbind`.",
        )
    guard.must_reach(role)
    await guard.must_hold(role.permissions)
    # where it takes the place of other roles those come back, and which those are only Discord knows
    for server_id, name in (await access_show.servers_of(tx.session, tx.actor.org, role.id, clock.now())).items():
        await guard.must_give(PERMISSIONS, Place(server_id, name))


async def _held(tx: Tx, role: RoleCard) -> list[str]:
    """Who holds it, so that it can be seen whether that has changed."""
    bound = await access_show.bindings(tx.session, tx.actor.org, [role.id])
    people = await access_show.holders(tx.session, tx.actor.org, [role.id], clock.now())
    places = [f"{one.discord_role_id} {one.server_name or ''} {one.tag or ''}".strip() for one in bound]
    return sorted(places + [f"{one.discord_id} {one.server_name or ''}".strip() for one in people])


async def _effect(tx: Tx, role: RoleCard) -> list[str]:
    bound = await access_show.bindings(tx.session, tx.actor.org, [role.id])
    people = await access_show.holders(tx.session, tx.actor.org, [role.id], clock.now())
    if not bound and not people:
        return ["Nobody holds it, and no Discord role is bound to it."]
    roles = [through(one.discord_role_id, everyone=one.everyone) + place(one.server_name, one.tag) for one in bound]
    names = [f"{safe(one.name, 40)}{place(one.server_name)}{until(one.expires_at)}" for one in people]
    return [
        *([f"**Bound to it**: {joined(roles, _ROOM)}."] if roles else []),
        *([f"**Have it themselves**: {joined(names, _ROOM)}."] if names else []),
        "They lose it. Where it took the place of other roles those count again.",
    ]
