"""Batches that deploy: the version on every server that has not got it, so many at a time."""

import asyncio
from pathlib import Path

import pytest

from bot.errors import Conflict
from tests.bot.people import again
from tests.bot.services.batches_world import Fleet
from tests.bot.services.workshop import Workshop, mod
from tests.bot.world import World


@pytest.fixture
async def workshop(world: World, tmp_path: Path) -> Workshop:
    shop = Workshop(world, tmp_path)
    await shop.upload(mod("1.0"))
    await shop.upload(mod("1.1"))
    return shop


@pytest.fixture
async def fleet(workshop: Workshop) -> Fleet:
    """Three servers of 7 Days to Die and one of Teeworlds."""
    world = workshop.world
    host = await workshop.host()
    fleet = Fleet(world, workshop.people, await workshop.owner(), host, [])
    for name, game in (("A", "7dtd"), ("B", "7dtd"), ("C", "7dtd"), ("T", "teeworlds")):
        server = await workshop.server(host, name, game)
        fleet.servers.append(server)
        await fleet.tagged(server, "eu")
    return fleet


async def test_where_it_is_not_yet_and_the_game_is_right(fleet: Fleet, workshop: Workshop) -> None:
    await workshop.deploy(fleet.servers[0], "Demo", "1.1")
    await workshop.finish(fleet.host)
    await workshop.deploy(fleet.servers[1], "Demo", "1.0")
    asked = await fleet.ask(action="deploy", mod="demo")
    assert asked.title == "Deploy Demo 1.1 on 1 server with the tag eu?"
    assert "Running servers restart to take it." in asked.effect
    (left,) = [line for line in asked.effect if line.startswith("**Left out:**")]
    assert "A (it has 1.1 already)" in left and "B (a version of it is on its way there (J-2))" in left
    assert "T (Demo is a mod of 7 Days to Die, and it runs Teeworlds)" in left
    await workshop.finish(fleet.host)
    await fleet.press(asked)
    assert (await fleet.states())["B"] == "left out: it was left out when this was asked"
    await workshop.finish(fleet.host)
    assert await fleet.batch("status") == "done"
    assert [state for *_, state in await workshop.deployments()] == ["active", "active", "active"]


async def test_a_failure_leaves_the_others_and_the_same_command_goes_on(fleet: Fleet, workshop: Workshop) -> None:
    await fleet.start(action="deploy", mod="Demo", version="1.0", stop_on_failure=True)
    await workshop.finish(fleet.host)
    await workshop.finish(fleet.host, "rolled_back", detail="the game refused it")
    states = await fleet.states()
    assert (states["B"], states["C"]) == ("failed: the game refused it", "not begun")
    found = await fleet.world.rows("select status, error from mod_deployments order by created_at, id")
    assert found == [
        ("active", None),
        ("failed", "the game refused it"),
        ("failed", "W-1 was stopped before its turn"),
    ]
    await fleet.start(action="deploy", mod="Demo", version="1.0", parallel=2)
    assert await fleet.places(2) == ["B", "C"]
    await workshop.finish(fleet.host)
    await workshop.finish(fleet.host)
    assert await fleet.batch("status", number=2) == "done"
    with pytest.raises(Conflict, match="There is nothing to deploy"):
        await fleet.ask(action="deploy", mod="Demo", version="1.0")


async def test_one_of_them_by_hand_meanwhile_is_refused(fleet: Fleet, workshop: Workshop) -> None:
    await fleet.start(action="deploy", mod="Demo", version="1.0")
    with pytest.raises(Conflict, match="is on its way to C already"):
        await workshop.mods.ask_deploy(again(fleet.owner), str(fleet.servers[2]), "Demo", "1.1")


async def test_two_batches_at_once_give_each_server_one(fleet: Fleet, workshop: Workshop) -> None:
    asked = [await fleet.ask(action="deploy", mod="Demo") for _ in range(2)]
    done = await asyncio.gather(*map(fleet.press, asked), return_exceptions=True)
    assert [type(one) for one in done if isinstance(one, BaseException)] in ([], [Conflict]), done
