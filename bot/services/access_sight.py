"""Who holds what, and why somebody may do something or not: `/access show` and `/access why`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import Decision, Grants, Scope
from bot.domain.actors import Actor
from bot.errors import NotFound, NotPermitted
from bot.services.access_bindings import role_of
from bot.services.access_members import permission_of
from bot.services.access_people import Person, grants_of, is_self
from bot.services.servers import PAGE, Page
from db.engine import Database
from db.queries import access, access_roles, access_show, cards
from db.queries.access_roles import RoleCard
from db.queries.access_show import Able, Bound, Ended, Holder

_SEE: Final = "users.view"
_CHANGERS: Final = ("users.permissions", "users.edit")


@dataclass(frozen=True)
class RoleSight:
    """A role, what is bound to it, and who has it themselves."""

    role: RoleCard
    bound: list[Bound]
    holders: list[Holder]


@dataclass(frozen=True)
class MemberSight:
    """What decides over one person."""

    name: str
    grants: Grants
    servers: dict[UUID, str]
    """Names of those that something in `grants` is about."""
    guild_id: int | None


@dataclass(frozen=True)
class Why:
    """A decision, what was looked at, and who could change it."""

    name: str
    permission: str
    server_id: UUID | None
    server_name: str
    decision: Decision
    grants: Grants
    """Roles come with the permission that was asked about and no other."""
    ended: list[Ended]
    having: list[str]
    """Roles with the permission, the highest first."""
    changers: list[Able]
    guild_id: int | None


class AccessSight:
    """Look-ups. Whoever may look for single servers only is told what is about these."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def overview(self, actor: Actor, page: int = 0) -> Page[RoleSight]:
        """Every role, the highest first, with all who hold it."""
        async with self._db.read() as session:
            roles = await access_roles.cards(session, actor.org, clock.now(), limit=PAGE + 1, offset=page * PAGE)
            return Page(await _sights(session, actor, roles[:PAGE]), page, len(roles) > PAGE)

    async def role(self, actor: Actor, ref: str) -> RoleSight:
        async with self._db.read() as session:
            (found,) = await _sights(session, actor, [await role_of(session, actor.org, ref)])
        return found

    async def member(self, actor: Actor, person: Person) -> MemberSight:
        sight = actor.sight(_SEE)
        async with self._db.read() as session:
            grants = _of(await grants_of(session, actor.org, person, clock.now()), sight)
            about = {one.server_id for one in (*grants.overrides, *grants.server_roles) if one.server_id}
            about |= frozenset[UUID]().union(*(role.servers or () for role in grants.roles))
            names = await access_show.servers(session, actor.org, about) if about else {}
        shown = {one: name if sight.covers(one) else access_show.UNSEEN for one, name in names.items()}
        return MemberSight(person.display_name, grants, shown, actor.guild_id)

    async def why(self, actor: Actor, person: Person, permission: str, server: str = "") -> Why:
        """The decision for somebody, there or (no server) for the whole org. One's own needs no permission.

        Raises:
            NotPermitted, NotFound: of somebody else without `users.permissions`; no such permission or server.
        """
        name, now = permission_of(permission), clock.now()
        async with self._db.read() as session:
            server_id, server_name = await _server(session, actor.org, server)
            if not is_self(actor, person) and not actor.may_on("users.permissions", server_id):
                raise NotPermitted(
                    "users.permissions", await access.roles_with(session, actor.org, "users.permissions")
                )
            user_id = await access_show.user(session, person.discord_id)
            places: Collection[UUID] = [server_id] if server_id else []
            found = await access.load(
                session, actor.org, user_id, person.role_ids, permission=name, servers=places, now=now
            )
            grants = replace(found, break_glass=person.break_glass)
            able = await access_show.who_can(session, actor.org, [name, *_CHANGERS])
            return Why(
                name=person.display_name,
                permission=name,
                server_id=server_id,
                server_name=server_name,
                decision=grants.decide(name, server_id, now),
                grants=grants,
                ended=await access_show.ended(session, actor.org, user_id, name, server_id, now),
                having=[one.role for one in able if one.permission == name],
                changers=[one for one in able if one.permission in _CHANGERS],
                guild_id=actor.guild_id,
            )


def _of(grants: Grants, sight: Scope) -> Grants:
    """What is told of somebody's grants: all of them, or what is about single servers."""
    if sight.everywhere:
        return grants
    return replace(
        grants,
        overrides=tuple(one for one in grants.overrides if one.server_id in sight.others),
        server_roles=tuple(role for role in grants.server_roles if role.server_id in sight.others),
        roles=tuple(
            replace(role, servers=role.servers & sight.others)
            for role in grants.roles
            if role.servers and role.servers & sight.others
        ),
    )


async def _sights(session: AsyncSession, actor: Actor, roles: Collection[RoleCard]) -> list[RoleSight]:
    ids, sight = [role.id for role in roles], actor.sight(_SEE)
    bound = await access_show.bindings(session, actor.org, ids, scope=sight)
    holders = await access_show.holders(session, actor.org, ids, clock.now(), sight)
    return [
        RoleSight(
            role,
            [one for one in bound if one.role_id == role.id],
            [one for one in holders if one.role_id == role.id],
        )
        for role in roles
    ]


async def _server(session: AsyncSession, org_id: UUID, ref: str) -> tuple[UUID | None, str]:
    """Its id and name; both empty without one. Unlike elsewhere a wrong name is not answered with those of others: who
    asks about themselves may see none of them."""
    text = ref.strip()
    if not text:
        return None, ""
    try:
        found = await cards.server(session, org_id, server_id=UUID(text))
    except ValueError:
        found = await cards.server(session, org_id, name=text)
    if found is None:
        raise NotFound("There is no such server here.", "Pick one of the suggestions, or leave `server` out.")
    return found.id, found.name
