"""Guilds come, go and come back; people turn up; what they may do is known for half a minute."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from bot import clock
from bot.domain.actors import system
from bot.domain.permissions import PERMISSIONS, PRESETS
from bot.errors import AlreadyHandled, Invalid
from bot.services.identity import CACHE_SECONDS, Identity
from bot.services.setup import Setup
from db import timing
from db.engine import Database
from tests.bot.grants import give, put
from tests.bot.people import GUILD, MODERATORS, People, caller, interaction
from tests.bot.world import World


@pytest.fixture
def identity(db: Database) -> Identity:
    return Identity(db)


async def rows(db: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    async with db.engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []


async def test_a_guild_gets_its_presets_and_everyone_may_look(db: Database, identity: Identity) -> None:
    org = await identity.guild_joined(GUILD, "Dust & Iron", 7)
    granted = await rows(
        db, "select r.name, count(*) from roles r join role_permissions p on p.role_id = r.id group by r.name"
    )
    assert {(name, number) for name, number in granted} == {(p.name, len(p.permissions)) for p in PRESETS}
    bound = (
        "select r.name, b.discord_role_id from role_bindings b join roles r on r.id = b.role_id where b.org_id = :org"
    )
    assert await rows(db, bound, org=org) == [("player", GUILD)]
    assert await rows(db, "select actor_type, action from audit_logs") == [("system", "org.join")]


async def test_joining_again_changes_nothing(db: Database, identity: Identity) -> None:
    first = await identity.guild_joined(GUILD, "Dust & Iron", 7)
    await rows(db, "delete from role_bindings")
    await rows(db, "delete from role_permissions where role_id in (select id from roles where name = 'moderator')")
    assert await identity.guild_joined(GUILD, "Dust & Iron", 7) == first
    assert await rows(db, "select 1 from role_bindings") == [], "what the owner took away stays away"
    edited = "select 1 from role_permissions p join roles r on r.id = p.role_id where r.name = 'moderator'"
    assert await rows(db, edited) == [], "what the owner edited stays edited"
    assert await rows(db, "select action from audit_logs") == [("org.join",)]


async def test_two_processes_see_one_guild_join(db: Database, identity: Identity) -> None:
    found = await asyncio.gather(*(Identity(db).guild_joined(GUILD, "Dust & Iron", 7) for _ in range(5)))
    assert len(set(found)) == 1
    assert await rows(db, "select count(*) from roles") == [(len(PRESETS),)]
    assert await rows(db, "select action from audit_logs") == [("org.join",)]


async def test_a_guild_is_renamed_and_changes_hands(db: Database, identity: Identity) -> None:
    await identity.guild_joined(GUILD, "Dust & Iron", 7)
    await identity.guild_joined(GUILD, "Rust", 8)
    assert await rows(db, "select name, owner_discord_id from orgs") == [("Rust", 8)]
    await identity.guild_joined(GUILD, "Rust", None)
    assert await rows(db, "select owner_discord_id from orgs") == [(8,)], "Discord does not always say who owns it"


async def test_who_leaves_and_comes_back_finds_everything_as_it_was(db: Database, identity: Identity) -> None:
    org = await identity.guild_joined(GUILD, "Dust & Iron", 7)
    await rows(db, "update roles set description = 'ours' where name = 'moderator'")
    await identity.guild_left(GUILD)
    await identity.guild_left(GUILD)
    ((status, left),) = await rows(db, "select status, left_at is not null from orgs")
    assert (status, left) == ("left", True)
    assert await identity.guild_joined(GUILD, "Dust & Iron", 7) == org
    assert await rows(db, "select status, left_at from orgs") == [("active", None)]
    assert await rows(db, "select description from roles where name = 'moderator'") == [("ours",)]
    assert await rows(db, "select action from audit_logs order by id") == [("org.join",), ("org.leave",)]


async def test_somebody_of_a_guild_that_left_brings_it_back(db: Database, identity: Identity) -> None:
    await identity.actor(caller(), interaction())
    await identity.guild_left(GUILD)
    await Identity(db).actor(caller(), interaction())
    assert await rows(db, "select status from orgs") == [("active",)]


async def test_what_happened_to_guilds_while_the_bot_was_down(db: Database, identity: Identity) -> None:
    shard = 1 << 22
    for guild in (1 * shard, 2 * shard, 3 * shard):
        await identity.guild_joined(guild, f"Guild {guild}", 7)
    here = [(1 * shard, "Renamed", 7), (4 * shard, "New", 9)]
    await identity.guilds_present(here, shards=1, held=[0])
    found = await rows(db, "select discord_guild_id / :shard, name, status from orgs order by 1", shard=shard)
    assert found == [
        (1, "Renamed", "active"),
        (2, f"Guild {2 * shard}", "left"),
        (3, f"Guild {3 * shard}", "left"),
        (4, "New", "active"),
    ]
    left = "select count(*) from audit_logs a join orgs o on o.id = a.org_id where a.action = 'org.leave'"
    assert await rows(db, left) == [(2,)], "each org's log says that it was left"


async def test_guilds_of_other_shards_are_not_ours_to_miss(db: Database, identity: Identity) -> None:
    shard = 1 << 22
    for guild in (1 * shard, 2 * shard):
        await identity.guild_joined(guild, "Guild", 7)
    await identity.guilds_present([], shards=2, held=[0])
    found = await rows(db, "select discord_guild_id / :shard, status from orgs order by 1", shard=shard)
    assert found == [(1, "active"), (2, "left")]


async def test_an_actor_is_made_at_the_first_interaction(db: Database, identity: Identity) -> None:
    actor = await identity.actor(caller("ann"), interaction())
    assert await rows(db, "select name, status from orgs") == [(f"Guild {GUILD}", "active")]
    assert await rows(db, "select username, display_name from users") == [("ann", "Ann")]
    assert [p for p in PERMISSIONS if actor.may(p)] == ["servers.view"] and not actor.break_glass
    assert await rows(db, "select user_id, org_id from user_orgs") == [(actor.user_id, actor.org_id)]
    again = await Identity(db).actor(caller("ann", display_name="Annie"), interaction())
    assert again.user_id == actor.user_id
    assert await rows(db, "select display_name from users") == [("Annie",)]


async def test_the_owner_may_everything_and_it_is_never_cached(identity: Identity) -> None:
    owner = await identity.actor(caller("olga", administrator=True), interaction())
    assert owner.may("servers.wipe")
    former = await identity.actor(caller("olga", administrator=False), interaction())
    assert not former.may("servers.wipe")


async def test_other_roles_are_looked_up_at_once(world: World) -> None:
    people = People(world.db)
    owner = await people.owner()
    await Setup(world.db).bind(owner, "moderator", [MODERATORS])
    assert not (await people.actor("mia")).may("servers.restart")
    assert (await people.actor("mia", MODERATORS)).may("servers.restart")
    assert not (await people.actor("mia")).may("servers.restart")


async def test_what_somebody_may_is_known_until_it_changes(world: World) -> None:
    people = People(world.db)
    listening = asyncio.create_task(world.db.listen("gk_access", people.identity.forget))
    await asyncio.sleep(0.1)
    owner = await people.owner()
    assert not (await people.actor("mia", MODERATORS)).may("servers.restart")
    await world.rows(
        "update role_bindings set role_id = (select id from roles where name = 'viewer') where discord_role_id = :g",
        g=GUILD,
    )
    assert not (await people.actor("mia", MODERATORS)).may("jobs.view"), "kept for half a minute"
    await Setup(world.db).bind(owner, "moderator", [MODERATORS])
    await world.db.catch_up()
    mia = await people.actor("mia", MODERATORS)
    assert mia.may("servers.restart") and mia.may("jobs.view")
    listening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await listening


async def test_after_half_a_minute_it_is_looked_up_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people = People(world.db)
    assert not (await people.actor("mia", MODERATORS)).may("servers.restart")
    await Setup(world.db).bind(await people.owner(), "moderator", [MODERATORS])
    assert not (await people.actor("mia", MODERATORS)).may("servers.restart"), "nobody has told this process"
    import time

    later = time.monotonic() + CACHE_SECONDS + 0.1
    monkeypatch.setattr("bot.services.identity.time.monotonic", lambda: later)
    assert (await people.actor("mia", MODERATORS)).may("servers.restart")


@pytest.fixture
async def replicas(world: World, database_url: str) -> AsyncIterator[list[tuple[Database, Identity]]]:
    """Two processes on one database, each listening."""
    found = [(database, Identity(database)) for database in (Database(database_url), Database(database_url))]
    listening = [asyncio.create_task(db.listen("gk_access", identity.forget)) for db, identity in found]
    await asyncio.sleep(0.1)
    yield found
    for task, (database, _) in zip(listening, found, strict=True):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await database.close()


async def test_a_change_reaches_the_other_process_at_once(
    world: World, replicas: list[tuple[Database, Identity]]
) -> None:
    (one, first), (other, second) = replicas
    mia = caller("mia")
    assert [(await identity.actor(mia, None)).may("servers.restart") for _, identity in replicas] == [False, False]
    await give(world, await first.actor(mia, None), "servers.restart")
    assert not (await second.actor(mia, None)).may("servers.restart"), "kept for half a minute"
    async with one.uow(system("test", world.org_id)) as tx:
        await tx.notify("gk_access", str(world.org_id))
    for database in (one, other):
        await database.catch_up()
    assert [(await identity.actor(mia, None)).may("servers.restart") for _, identity in replicas] == [True, True]


async def test_what_was_read_before_a_change_is_not_kept_after_it(world: World) -> None:
    identity = Identity(world.db)
    mia = caller("mia")
    await identity.actor(mia, None)
    identity.forget()

    looking = asyncio.create_task(identity.actor(mia, None))
    await asyncio.sleep(0)  # it waits for the database now
    identity.forget(str(world.org_id))
    await looking
    assert not identity._known, "a change was heard while it was being read"  # pyright: ignore[reportPrivateUsage]  # what is cached shows nowhere else


async def test_what_ends_is_over_at_that_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    people, now = People(world.db), clock.now()
    host, _ = await world.pair()
    server, end = await world.server(host), now + timedelta(seconds=10)
    mia = await people.actor("mia")
    await give(world, mia, "servers.restart", server, until=end)
    await put(world, mia, "operator", server, until=end + timedelta(seconds=5))
    people.identity.forget()

    async def may(moment: datetime, permission: str) -> tuple[bool, bool]:
        """As the cache says, and as a change is told."""
        monkeypatch.setattr(clock, "now", lambda: moment)
        actor = await people.actor("mia")
        async with world.db.uow(actor) as tx:
            return actor.may_on(permission, server), bool(await tx.allowed_on(permission, [server]))

    just = timedelta(microseconds=1)
    assert await may(now, "servers.restart") == (True, True)
    assert await may(end - just, "servers.kill") == (True, True)
    assert await may(end + timedelta(seconds=5) - just, "servers.restart") == (True, True), "the role has it, too"
    assert await may(end + timedelta(seconds=5), "servers.restart") == (False, False)
    assert await may(end + timedelta(seconds=5), "servers.kill") == (False, False)


async def test_a_look_up_asks_the_database_nothing_while_it_is_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people, statements = People(world.db), list[str]()
    await people.actor("mia")

    def heard(name: str, _verb: str, _started: float) -> None:
        statements.append(name)

    monkeypatch.setattr(timing, "report", heard)
    mia = await people.actor("mia")
    assert mia.may("servers.view") and statements == []
    people.identity.forget()
    await people.actor("mia")
    assert statements == ["identity.find", "access.load"]
    async with world.db.uow(mia) as tx:
        await tx.require_on("servers.view", [uuid4(), uuid4()])
    assert statements[2:] == ["access.load", "uow.wrote"], "a change asks once, however many servers it is about"


async def test_only_the_org_that_changed_is_forgotten(identity: Identity) -> None:
    first = await identity.actor(caller(), interaction())
    second = await identity.actor(caller(guild_id=2002, role_ids=frozenset({2002})), interaction())
    identity.forget(str(first.org_id))
    assert [known.org_id for known in identity._known.values()] == [second.org_id]  # pyright: ignore[reportPrivateUsage]  # what is cached shows nowhere else
    identity.forget("")
    assert not identity._known  # pyright: ignore[reportPrivateUsage]  # as above


async def test_somebody_who_writes_to_the_bot_alone(db: Database, identity: Identity) -> None:
    alone = await identity.actor(caller(guild_id=None, role_ids=frozenset()), interaction("help"))
    assert alone.org_id is None and alone.user_id is not None and not alone.may("servers.view")
    with pytest.raises(Invalid, match="in a community only"):
        _ = alone.org
    assert "No role here has it" in (await identity.refusal(alone, "servers.view")).remedy
    await identity.record(alone, "help", "success", None)
    assert await rows(db, "select org_id, actor_id, action from audit_logs") == [(None, alone.user_id, "help")]
    assert await rows(db, "select count(*) from orgs") == [(0,)]


async def test_an_interaction_has_one_row(identity: Identity) -> None:
    actor = await identity.actor(caller(), interaction("server list"))
    await identity.record(actor, "server.list", "success", None)
    assert actor.invocation is not None and actor.invocation.recorded
    with pytest.raises(AlreadyHandled):
        await identity.record(actor, "server.list", "failed", "x")


async def test_a_refusal_names_who_has_it_lowest_first(world: World) -> None:
    people = People(world.db)
    refused = await people.identity.refusal(await people.actor(), "servers.restart")
    assert refused.remedy == "Roles that have it here: moderator, operator, admin. Ask an administrator."
