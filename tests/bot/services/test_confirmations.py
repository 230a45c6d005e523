"""Questions with a button that counts once, for two minutes, for the one who asked."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from bot.domain.actors import Actor, system
from bot.errors import Conflict, Invalid, NotFound
from bot.services.confirmations import Confirmations, Done, Question, ask
from db.uow import Tx
from tests.bot.people import People, again
from tests.bot.world import World

_COUNT = text("insert into app_state (key, value, updated_at) values (:key, '1', now())")


async def perform(tx: Tx, payload: dict[str, Any]) -> Done:
    """The confirmed action of these tests: a row that can be written once."""
    await tx.session.execute(_COUNT, {"key": payload["key"]})
    tx.audit("test.done", resource=("test", payload["key"]))
    return Done("It is done", f"`{payload['key']}`")


async def fail(tx: Tx, payload: dict[str, Any]) -> Done:
    await perform(tx, payload)
    raise Conflict("It cannot be done now.")


@pytest.fixture
def confirmations(world: World) -> Confirmations:
    return Confirmations(world.db, {"test": perform, "fails": fail})


@pytest.fixture
async def ann(world: World) -> Actor:
    return await People(world.db).actor("ann")


async def asked(world: World, actor: Actor, action: str = "test", typed: str = "") -> UUID:
    async with world.db.uow(again(actor)) as tx:
        question: Question = await ask(
            tx, action, {"key": "once"}, title="Sure?", effect=["It is done."], verb="Do it", typed=typed
        )
        tx.audit("test.ask", resource=("test", None))
    return question.token


async def done(world: World) -> int:
    return await world.value("select count(*) from app_state")


async def test_pressed_once(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    assert await done(world) == 0
    result = await confirmations.press(again(ann), token)
    assert result == Done("It is done", "`once`") and await done(world) == 1
    assert (await world.audited())[-2:] == ["test.ask", "test.done"]


async def test_a_second_press_is_shown_the_first_result(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    first = await confirmations.press(again(ann), token)
    assert await confirmations.press(again(ann), token) == first
    assert await done(world) == 1 and (await world.audited()).count("test.done") == 1


async def test_a_double_click_counts_once(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    results = await asyncio.gather(*(confirmations.press(again(ann), token) for _ in range(4)))
    assert set(results) == {Done("It is done", "`once`")} and await done(world) == 1


async def test_nobody_else_can_press_it(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    bob = await People(world.db).actor("bob")
    with pytest.raises(Conflict, match="put to somebody else"):
        await confirmations.press(bob, token)
    with pytest.raises(Conflict, match="nothing to confirm"):
        await confirmations.expected(bob, token)
    with pytest.raises(Conflict, match="put to somebody else"):
        await confirmations.dismiss(again(bob), token)
    assert (await confirmations.press(again(ann), token)).title == "It is done", "nor take it back"


async def test_another_org_finds_no_question(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    elsewhere = await People(world.db).actor("ann", guild_id=2002)
    for stranger, unknown in ((elsewhere, token), (ann, uuid4())):
        with pytest.raises(NotFound, match="nothing to confirm here"):
            await confirmations.press(again(stranger), unknown)
    assert await done(world) == 0


async def test_after_two_minutes_it_is_too_late(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann, typed="EU #1")
    assert await world.value(
        "select expires_at between now() + interval '100 s' and now() + interval '121 s' from pending_confirmations"
    )
    await world.rows("update pending_confirmations set expires_at = now() - interval '1 second'")
    with pytest.raises(Conflict, match="two minutes for this are over; nothing was done"):
        await confirmations.press(again(ann), token, "EU #1")
    with pytest.raises(Conflict):
        await confirmations.expected(ann, token)
    assert await done(world) == 0


@pytest.mark.parametrize("typed", [None, "", "EU", "EU #2", "eu#1"])
async def test_the_wrong_name(world: World, ann: Actor, confirmations: Confirmations, typed: str | None) -> None:
    token = await asked(world, ann, typed="EU #1")
    with pytest.raises(Invalid, match=r"That is not the name\. Nothing was done; it is EU #1"):
        await confirmations.press(again(ann), token, typed)
    assert await done(world) == 0


@pytest.mark.parametrize("typed", ["EU #1", " eu #1 "])
async def test_the_right_name(world: World, ann: Actor, confirmations: Confirmations, typed: str) -> None:
    token = await asked(world, ann, typed="EU #1")
    assert await confirmations.expected(ann, token) == "EU #1"
    assert (await confirmations.press(again(ann), token, typed)).title == "It is done"


async def test_what_fails_can_be_pressed_again(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann, action="fails")
    for _ in range(2):
        with pytest.raises(Conflict, match="cannot be done now"):
            await confirmations.press(again(ann), token)
    assert await done(world) == 0 and "test.done" not in await world.audited()
    assert await world.value("select consumed_at is null from pending_confirmations")


async def test_never_mind(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    await confirmations.dismiss(again(ann), token)
    with pytest.raises(Conflict, match="nothing was done"):
        await confirmations.press(again(ann), token)
    assert await done(world) == 0 and (await world.audited())[-1] == "confirmation.dismiss"


async def test_never_mind_comes_too_late(world: World, ann: Actor, confirmations: Confirmations) -> None:
    token = await asked(world, ann)
    first = await confirmations.press(again(ann), token)
    assert await confirmations.dismiss(again(ann), token) == first, "it says what was done, not that nothing was"
    assert "confirmation.dismiss" not in await world.audited()


async def test_only_people_are_asked(world: World, confirmations: Confirmations) -> None:
    machine = system("test", world.org_id)
    with pytest.raises(Invalid, match="Only a person"):
        await confirmations.press(machine, uuid4())
    async with world.db.uow(machine) as tx:
        with pytest.raises(Invalid, match="Only a person"):
            await ask(tx, "test", {}, title="Sure?", effect=[], verb="Do it")
