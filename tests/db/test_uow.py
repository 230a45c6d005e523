"""One transaction: the effect and the row that says who did it, or neither."""

from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.domain.access import Grants, Override
from bot.domain.actors import Actor, system
from bot.errors import AlreadyHandled, NotPermitted
from db.engine import Database
from db.uow import Tx
from tests.bot.people import MODERATORS, People, again
from tests.bot.world import World

_EFFECT = text("insert into app_state (key, value, updated_at) values ('effect', '1', now())")


@pytest.fixture
async def world(db: Database) -> World:
    return await World(db).found()


async def effects(world: World) -> int:
    return await world.value("select count(*) from app_state")


async def act(tx: Tx, *, audited: bool = True) -> None:
    await tx.session.execute(_EFFECT)
    if audited:
        tx.audit("test.act", resource=("test", "1"), why="because")


async def undo(world: World, actor: Actor) -> None:
    async with world.db.uow(actor) as tx:
        await tx.session.execute(text("delete from app_state"))
        tx.audit("test.undo", resource=("test", None))


@pytest.fixture
async def ann(world: World) -> Actor:
    return await People(world.db).actor("ann")


async def test_the_effect_and_its_row_come_together(world: World, ann: Actor) -> None:
    async with world.db.uow(ann) as tx:
        await act(tx)
        assert await effects(world) == 0, "nobody sees it yet"
    rows = await world.rows(
        "select action, outcome, actor_id, interaction_id, details from audit_logs where actor_type = 'user'"
    )
    assert ann.invocation is not None and ann.invocation.recorded
    assert rows == [("test.act", "success", ann.user_id, ann.invocation.id, {"why": "because"})]
    assert await effects(world) == 1


async def test_what_fails_leaves_neither(world: World, ann: Actor) -> None:
    async def fail() -> None:
        async with world.db.uow(ann) as tx:
            await act(tx)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await effects(world) == 0 and "test.act" not in await world.audited()
    assert ann.invocation is not None and not ann.invocation.recorded


async def test_an_effect_without_a_row_is_undone(world: World, ann: Actor) -> None:
    with pytest.raises(AssertionError, match=r"an effect without tx\.audit"):
        async with world.db.uow(ann) as tx:
            await act(tx, audited=False)
    assert await effects(world) == 0


async def test_looking_needs_no_row(world: World, ann: Actor) -> None:
    async with world.db.uow(ann) as tx:
        assert await tx.session.scalar(text("select count(*) from orgs")) == 1
    assert ann.invocation is not None and not ann.invocation.recorded, "the gate writes one"


async def test_the_bot_itself_may_act_without_a_row(world: World) -> None:
    async with world.db.uow(system("test")) as tx:
        await act(tx, audited=False)
    assert await effects(world) == 1


async def test_two_effects_are_two_interactions(world: World, ann: Actor) -> None:
    async with world.db.uow(ann) as tx:
        await act(tx)
        with pytest.raises(AssertionError, match=r"already leaves the row test\.act"):
            tx.audit("test.other", resource=("test", None))
    with pytest.raises(AssertionError, match="a second audited unit of work"):
        await undo(world, ann)
    assert await effects(world) == 1
    await undo(world, again(ann))
    assert await effects(world) == 0


async def test_a_second_delivery_is_undone_and_silent(world: World, ann: Actor) -> None:
    assert ann.invocation is not None
    other = replace(ann, invocation=replace(ann.invocation))
    async with world.db.uow(ann) as tx:
        await act(tx)
    with pytest.raises(AlreadyHandled):
        await undo(world, other)
    assert await effects(world) == 1 and (await world.audited()).count("test.act") == 1


async def test_a_notification_leaves_with_the_commit_only(world: World) -> None:
    heard: list[str] = []
    connection = await world.db.engine.raw_connection()
    listener = connection.driver_connection
    assert listener is not None

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.append(str(payload))

    await listener.add_listener("gk_test", hear)
    for payload in ("rolled back", "committed"):
        with suppress(ZeroDivisionError):
            async with world.db.uow(system("test")) as tx:
                await tx.notify("gk_test", payload)
                assert payload == "committed" or 1 / 0
    await listener.execute("select 1")
    await listener.reset()
    connection.close()
    assert heard == ["committed"]


async def test_a_permission_is_proved_where_the_change_is(world: World) -> None:
    people = People(world.db)
    mia = await people.actor("mia", MODERATORS)
    exception = Override(permission="servers.restart", granted=True)
    pretending = replace(mia, grants=Grants(overrides=(exception,)))
    with pytest.raises(NotPermitted, match=r"servers\.restart") as refused:
        async with world.db.uow(pretending) as tx:
            await tx.require("servers.restart")
    assert refused.value.remedy == "Roles that have it here: moderator, operator, admin. Ask an administrator."


async def test_a_binding_may_be_for_one_server_or_for_a_tag(world: World) -> None:
    people = People(world.db)
    mia = await people.actor("mia", MODERATORS)
    host, _ = await world.pair()
    one, tagged, other = [await world.server(host, name) for name in ("one", "tagged", "other")]
    await world.rows(
        "insert into server_tags (org_id, server_instance_id, tag) values (:org, :server, 'pvp')",
        org=world.org_id,
        server=tagged,
    )
    for role, server, tag in (("moderator", one, None), ("operator", None, "pvp")):
        await world.rows(
            """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id, tag)
               select :org, :discord, id, :server, :tag from roles where org_id = :org and name = :role""",
            org=world.org_id,
            discord=MODERATORS,
            role=role,
            server=server,
            tag=tag,
        )

    async def may(permission: str, server_id: object) -> bool:
        async with world.db.uow(again(mia)) as tx:
            try:
                await tx.require(permission, server_id=server_id)  # type: ignore[arg-type]  # ids of `world.server`
            except NotPermitted:
                return False
        return True

    assert [await may("servers.restart", server) for server in (one, tagged, other, None)] == [True, True, False, False]
    assert [await may("servers.kill", server) for server in (one, tagged, other, None)] == [False, True, False, False]


async def test_break_glass_and_the_bot_need_no_role(db: Database, world: World) -> None:
    for actor in (await People(world.db).owner(), system("test", world.org_id)):
        async with db.uow(actor) as tx:
            await tx.require("servers.wipe")
            await act(tx)
        await world.rows("delete from app_state")
    assert (await world.audited()).count("test.act") == 2


async def test_no_detail_keeps_a_row_from_being_written(world: World) -> None:
    """Names that came from elsewhere: NUL, halves of pairs, and numbers that JSON has not."""
    odd = {
        "a\0b": "c\0d",
        "e\ud800": ["\udfff", float("nan"), {"f": float("-inf")}],
        "token=hunter2": "password=hunter2",
    }
    async with world.db.uow(system("test", world.org_id)) as tx:
        tx.audit("odd", resource=("org", world.org_id), **odd)
    kept = await world.value("select details from audit_logs where action = 'odd'")
    assert kept == {"ab": "cd", "e": ["", "nan", {"f": "-inf"}], "token=…": "password=…", "by": "test"}
