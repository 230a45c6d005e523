"""The statement that loads what decides, against the decision in Python and against the words of the design."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.domain.access import Grants, HeldRole, Override, Scope, ServerRole
from bot.errors import NotPermitted
from db.engine import Database
from db.queries import access
from tests.bot.domain.access_worlds import NOW, PERMISSIONS, SERVERS, Guild, decided, grants, guild
from tests.bot.grants import deny, give, put
from tests.bot.people import People, again
from tests.bot.world import World

GUILDS: Final = 500
VIEW, RESTART = PERMISSIONS
_PERMISSIONS: Final = text("select name, id from permissions")
_TABLES: Final[dict[str, tuple[str, ...]]] = {
    "orgs": ("id", "discord_guild_id", "name"),
    "users": ("id", "discord_user_id", "username", "notify"),
    "hosts": ("id", "org_id", "name"),
    "server_instances": ("id", "org_id", "host_id", "game_type_id", "name", "slug"),
    "server_tags": ("org_id", "server_instance_id", "tag"),
    "roles": ("id", "org_id", "name"),
    "role_permissions": ("role_id", "permission_id"),
    "user_orgs": ("user_id", "org_id", "role_id"),
    "role_bindings": ("org_id", "discord_role_id", "role_id", "server_instance_id", "tag"),
    "user_server_roles": ("org_id", "user_id", "server_instance_id", "role_id", "expires_at"),
    "user_permissions": ("org_id", "user_id", "permission_id", "server_instance_id", "granted", "expires_at"),
}


@dataclass(frozen=True)
class Stored:
    """A guild in the database: ids of its own, in place of those that all guilds share."""

    number: int
    rows: Guild

    def id(self, kind: int, of: int = 0) -> UUID:
        return UUID(int=self.number << 32 | kind << 16 | of)

    @property
    def org(self) -> UUID:
        return self.id(1)

    @property
    def user(self) -> UUID:
        return self.id(2)

    def server(self, server: UUID | None) -> UUID | None:
        return self.id(3, server.int) if server else None

    def role(self, name: str | None) -> UUID | None:
        return self.id(4, [*self.rows.roles].index(name) + 1) if name else None


def _rows(stored: Stored, ids: dict[str, UUID], game: UUID) -> Iterable[tuple[str, tuple[Any, ...]]]:
    rows, org, user, number = stored.rows, stored.org, stored.user, stored.number
    yield "orgs", (org, number, f"Guild {number}")
    yield "users", (user, number, f"user{number}", "{}")
    yield "hosts", (stored.id(5), org, "gs-1")
    for server in SERVERS:
        name = f"s{server.int}"
        yield "server_instances", (stored.server(server), org, stored.id(5), game, name, name)
    for server, tag in rows.tags:
        yield "server_tags", (org, stored.server(server), tag)
    for name, permissions in rows.roles.items():
        yield "roles", (stored.role(name), org, name)
        for permission in permissions:
            yield "role_permissions", (stored.role(name), ids[permission])
    yield "user_orgs", (user, org, stored.role(rows.own))
    for (worn, server, tag), role in rows.bindings.items():
        yield "role_bindings", (org, worn, stored.role(role), stored.server(server), tag)
    for server, (role, ends) in rows.server_roles.items():
        yield "user_server_roles", (org, user, stored.server(server), stored.role(role), ends)
    for (permission, server), (granted, ends) in rows.overrides.items():
        yield "user_permissions", (org, user, ids[permission], stored.server(server), granted, ends)


async def _store(db: Database, guilds: Sequence[Stored]) -> None:
    async with db.engine.connect() as connection:
        ids: dict[str, UUID] = {row.name: row.id for row in await connection.execute(_PERMISSIONS)}
        game = (await connection.execute(text("select id from game_types limit 1"))).scalar_one()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        written: dict[str, list[tuple[Any, ...]]] = {table: [] for table in _TABLES}
        for stored in guilds:
            for table, row in _rows(stored, ids, game):
                written[table].append(row)
        for table, columns in _TABLES.items():
            await raw.copy_records_to_table(table, records=written[table], columns=columns)


@pytest.fixture
async def guilds(db: Database) -> list[Stored]:
    dice = random.Random(3)
    made = [Stored(number, guild(dice.randbytes(48))) for number in range(1, GUILDS + 1)]
    await _store(db, made)
    return made


@pytest.fixture
async def world(db: Database) -> World:
    return await World(db).found()


async def test_what_is_loaded_decides_as_the_six_steps_say(db: Database, guilds: list[Stored]) -> None:
    async with db.read() as session:
        for one in guilds:
            known, rows = grants(one.rows), one.rows
            if rows.administrator:
                continue  # that comes with the interaction
            wide = await access.load(session, one.org, one.user, rows.worn, now=NOW)
            for permission in PERMISSIONS:
                everywhere = await access.load(
                    session, one.org, one.user, rows.worn, permission=permission, servers=(), now=NOW
                )
                for server in (None, *SERVERS):
                    there = one.server(server)
                    expected = decided(rows, permission, server)
                    told = [known.decide(permission, server, NOW), wide.decide(permission, there, NOW)]
                    if server is None:
                        told.append(everywhere.decide(permission, None, NOW))
                    assert {(found.allowed, found.step) for found in told} == {expected}, (one.number, server)
                    assert wide.scope(permission, NOW).covers(there) == expected[0]


async def test_so_does_what_is_loaded_for_one_question(db: Database, guilds: list[Stored]) -> None:
    async with db.read() as session:
        for one in guilds:
            if one.rows.administrator:
                continue
            asked = [server for server in map(one.server, SERVERS) if server]
            for permission, places in ((VIEW, asked[:1]), (RESTART, asked), (RESTART, asked[2:])):
                narrow = await access.load(
                    session, one.org, one.user, one.rows.worn, permission=permission, servers=places, now=NOW
                )
                named = {place for role in narrow.roles for place in role.servers or ()}
                named |= {role.server_id for role in narrow.server_roles}
                assert named <= set(places), "nothing of servers that nobody asked for"
                assert {name for role in narrow.roles for name in role.permissions} <= {permission}
                for place in places:
                    decision = narrow.decide(permission, place, NOW)
                    server = SERVERS[asked.index(place)]
                    assert (decision.allowed, decision.step) == decided(one.rows, permission, server)


async def test_nobody_has_what_they_have_in_another_guild(db: Database, guilds: list[Stored]) -> None:
    async with db.read() as session:
        for one, other in pairwise(guilds):
            found = await access.load(session, other.org, one.user, (), now=NOW)
            assert found == Grants()


async def test_a_condition_on_a_column_says_what_a_scope_says(db: Database) -> None:
    ids = "unnest(cast(:ids as uuid[])) with ordinality x(id, n)"
    condition = text(f"select {access.covered('x.id')} from {ids} order by n")
    asked = [None, *SERVERS]
    async with db.read() as session:
        for everywhere in (True, False):
            for others in (frozenset[UUID](), frozenset(SERVERS[:1]), frozenset(SERVERS)):
                scope = Scope(everywhere, others)
                found = await session.scalars(condition, {"ids": asked, **access.scope_values(scope)})
                assert list(found) == [scope.covers(one) for one in asked]


async def test_what_is_loaded_says_who_gave_it_and_until_when(world: World) -> None:
    people = People(world.db)
    mia, ann = await people.actor("mia"), await people.actor("ann")
    host, _ = await world.pair()
    server, later = await world.server(host), NOW + timedelta(days=1)
    await give(world, mia, RESTART, server, granted=False, until=later)
    await world.rows("update user_permissions set granted_by_id = :ann, reason = 'fires at will'", ann=ann.user_id)
    await put(world, mia, "viewer", server, until=later)
    async with world.db.read() as session:
        found = await access.load(
            session, world.org_id, mia.user_id, mia.role_ids, permission=RESTART, servers=[server], now=NOW
        )
    assert found == Grants(
        overrides=(
            Override(
                permission=RESTART, granted=False, server_id=server, expires_at=later, by="Ann", reason="fires at will"
            ),
        ),
        server_roles=(
            ServerRole(server_id=server, role="viewer", priority=10, permissions=frozenset(), expires_at=later),
        ),
        roles=(HeldRole(role="player", priority=0, permissions=frozenset(), discord_role_id=world.guild),),
    )


async def test_a_change_is_refused_where_an_exception_says_so(world: World) -> None:
    people = People(world.db)
    host, _ = await world.pair()
    eu, us = await world.server(host, "EU"), await world.server(host, "US")
    mia = await people.actor("mia")
    await give(world, mia, RESTART)
    await deny(world, mia, RESTART, eu)
    async with world.db.uow(again(mia)) as tx:
        await tx.require(RESTART)
        await tx.require(RESTART, server_id=us)
        await tx.require_on(RESTART, [us])
        assert await tx.allowed_on(RESTART, [eu, us]) == {us}
        with pytest.raises(NotPermitted) as refused:
            await tx.require(RESTART, server_id=eu)
        with pytest.raises(NotPermitted):
            await tx.require_on(RESTART, [us, eu])
    assert refused.value.remedy == (
        "An exception takes it from you on this server. Roles that can change that: admin; `/my why` says more."
    )


async def test_a_role_of_a_server_is_named_where_it_refuses(world: World) -> None:
    people = People(world.db)
    host, _ = await world.pair()
    eu = await world.server(host, "EU")
    mia = await people.actor("mia")
    await put(world, mia, "viewer", eu)
    async with world.db.uow(again(mia)) as tx:
        with pytest.raises(NotPermitted) as refused:
            await tx.require(RESTART, server_id=eu)
    assert refused.value.remedy.startswith(
        "On this server you have the role viewer in place of all others. Roles that can"
    )
