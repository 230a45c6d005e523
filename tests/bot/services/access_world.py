"""A community with roles and people, for tests of who may give what to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from bot.domain.actors import Actor
from bot.domain.roles import AREAS
from bot.services.access_bindings import AccessBindings, DiscordRole
from bot.services.access_clearing import AccessClearing
from bot.services.access_members import AccessMembers, Wish
from bot.services.access_people import Person
from bot.services.access_roles import AccessRoles, Edited
from bot.services.access_sight import AccessSight
from bot.services.confirmations import Confirmations, Done
from tests.bot.people import GUILD, People, again, caller
from tests.bot.world import World

ADMINS, DEPUTIES, MODERATORS, SPIES, LOCALS, NEW = 502, 503, 501, 504, 505, 506
"""Discord roles."""
PEOPLE = ("users.view", "users.create", "users.edit", "users.delete", "users.permissions")

_SETTING: Final = f"""
    with made as (
      insert into roles (org_id, name, priority)
      values (:org, 'deputy', 50), (:org, 'spy', 10) returning id, name),
    given as (
      insert into role_permissions (role_id, permission_id)
      select made.id, p.id from made join permissions p on
        made.name = 'spy' and p.name = 'servers.wipe'
        or made.name = 'deputy' and (p.name = any(:people) or p.id in (
             select rp.permission_id from role_permissions rp join roles r on r.id = rp.role_id
              where r.org_id = :org and r.name = 'moderator'))),
    every as (select id, name from roles where org_id = :org union all select id, name from made),
    tagged as (
      insert into server_tags (org_id, server_instance_id, tag)
      select :org, id, 'eu' from server_instances where name = 'EU1' and org_id = :org)
    insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id)
    select :org, wanted.discord_role, every.id, s.id
      from (values ({ADMINS}, 'admin', null), ({DEPUTIES}, 'deputy', null), ({MODERATORS}, 'moderator', null),
                   ({SPIES}, 'spy', null), ({LOCALS}, 'admin', 'EU1')) as wanted (discord_role, role, server)
      join every on every.name = wanted.role
      left join server_instances s on s.name = wanted.server and s.org_id = :org"""


@dataclass
class Court:
    """admin (100) is bound to ADMINS, deputy (50: a moderator who manages people) to DEPUTIES, moderator (40) to
    MODERATORS, spy (10, with `servers.wipe`) to SPIES, and admin on EU1 alone to LOCALS. EU1 has the tag `eu`."""

    world: World
    people: People = field(init=False)
    eu1: UUID = field(init=False)
    eu2: UUID = field(init=False)

    def __post_init__(self) -> None:
        db = self.world.db
        self.people = People(db)
        self.bindings, self.members, self.clearing = AccessBindings(db), AccessMembers(db), AccessClearing(db)
        self.roles, self.sight = AccessRoles(db), AccessSight(db)
        self.confirmations = Confirmations(db, {"access.role.delete": self.roles.deleted})

    @classmethod
    async def opened(cls, world: World) -> Court:
        court = cls(world)
        host, _ = await world.pair()
        court.eu1, court.eu2 = await world.server(host, "EU1"), await world.server(host, "EU2")
        await world.rows(_SETTING, org=world.org_id, people=list(PEOPLE))
        return court

    async def owner(self) -> Actor:
        return again(await self.people.owner())

    async def actor(self, name: str, *roles: int) -> Actor:
        self.people.identity.forget()
        return await self.people.actor(name, *roles)

    async def made(self, name: str, priority: int, *, like: str = "", more: tuple[str, ...] = ()) -> UUID:
        """A role of the org's own."""
        role = (await self.roles.create(await self.owner(), name, priority, like)).role
        for area, (_, names) in AREAS.items():
            chosen = {one for one in names if one in role.permissions or one in more}
            if set(names) & set(more):
                await self.roles.choose(await self.owner(), role.id, area, chosen)
        return role.id

    async def bind(self, actor: Actor, discord_role: int, role: str, server: str = "", tag: str = "") -> Done:
        return await self.bindings.bind(actor, DiscordRole(discord_role, f"D{discord_role}"), role, server, tag)

    async def unbind(self, actor: Actor, discord_role: int, role: str = "", server: str = "", tag: str = "") -> Done:
        return await self.bindings.unbind(actor, DiscordRole(discord_role, f"D{discord_role}"), role, server, tag)

    async def allow(self, actor: Actor, who: Person, permission: str, server: str = "", until: str = "") -> Done:
        wish = Wish(permission=permission, granted=True, server=server, until=until)
        return await self.members.decide(actor, who, wish)

    async def deny(self, actor: Actor, who: Person, permission: str, server: str = "", until: str = "") -> Done:
        wish = Wish(permission=permission, granted=False, server=server, until=until)
        return await self.members.decide(actor, who, wish)

    async def choose(self, actor: Actor, role: str, permission: str, *, has: bool) -> Edited:
        """The role gets or loses one permission."""
        found = (await self.roles.edit(actor, role)).role
        area, names = next((area, names) for area, (_, names) in AREAS.items() if permission in names)
        chosen = {one for one in names if one in found.permissions and one != permission}
        return await self.roles.choose(again(actor), found.id, area, chosen | ({permission} if has else set()))

    async def may(self, who: Person, permission: str, server: str = "") -> bool:
        """Asked of the owner, as everything is."""
        return (await self.sight.why(await self.owner(), who, permission, server)).decision.allowed


def person(name: str, *roles: int, owner: bool = False) -> Person:
    """The same who acts as `Court.actor(name, …)`."""
    seen = caller(name)
    return Person(
        discord_id=seen.user_id,
        username=seen.username,
        display_name=seen.display_name,
        role_ids=frozenset({GUILD, *roles}),
        break_glass=owner,
    )
