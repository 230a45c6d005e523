"""Batches and rights: nothing is done, named, shown or stopped where somebody may not."""

import pytest

from bot.domain.actors import Actor
from bot.errors import NotFound, NotPermitted
from tests.bot.grants import deny, give
from tests.bot.people import again
from tests.bot.services.batches_world import Fleet
from tests.bot.world import World

ALL = ("batches.run", "servers.restart", "servers.view", "jobs.view")


@pytest.fixture
async def fleet(world: World) -> Fleet:
    return await Fleet.made(world, 3)


async def mia(fleet: Fleet, *permissions: str, on: int | None = None, but: dict[str, int] | None = None) -> Actor:
    """A member who may do exactly this, everywhere or on one server; `but` not that on this server."""
    world, who = fleet.world, await fleet.people.actor("mia")
    await world.rows("delete from user_permissions")
    for permission in permissions:
        await give(world, who, permission, None if on is None else fleet.servers[on])
    for permission, server in (but or {}).items():
        await deny(world, who, permission, fleet.servers[server])
    fleet.people.identity.forget()
    return await fleet.people.actor("mia")


async def test_servers_denied_are_left_out_and_named_unseen_ones_counted(fleet: Fleet) -> None:
    who = await mia(fleet, *ALL, but={"servers.restart": 1, "servers.view": 2, "batches.run": 2})
    asked = await fleet.ask(who)
    assert asked.title == "Restart on 1 server with the tag eu?"
    assert asked.effect[-1] == "Left out, because you may not do it there: S02, 1 more that you do not see."
    done = await fleet.press(asked, who)
    assert "S03" not in done.text and await fleet.places() == ["S01"]
    assert [turn.name for turn in await fleet.turns(actor=who)] == ["S01", "S02"]
    batch, _ = await fleet.batches.show(who, "W-1")
    assert batch.unseen == 1
    assert (await fleet.states())["S03"] == "left out: whoever started it may not do it there"


async def test_its_message_names_no_server_that_its_author_does_not_see(fleet: Fleet) -> None:
    """It may be where the command was typed."""
    who = await mia(fleet, *ALL, but={"servers.restart": 1, "servers.view": 2, "batches.run": 2})
    await fleet.press(await fleet.ask(who), who)
    message = await fleet.batches.message(fleet.owner.org, str(await fleet.batch("id")))
    assert message and [turn.name for turn in message.turns] == ["S01", "S02", "a server that they do not see"]


@pytest.mark.parametrize("missing", ["batches.run", "servers.restart"])
async def test_nowhere_is_refused_and_so_is_what_was_lost_meanwhile(fleet: Fleet, missing: str) -> None:
    asked = await fleet.ask(await mia(fleet, *ALL))
    who = await mia(fleet, *[permission for permission in ALL if permission != missing])
    with pytest.raises(NotPermitted, match=missing):
        await fleet.press(asked, who)
    with pytest.raises(NotPermitted, match=missing):
        await fleet.ask(who)
    assert await fleet.world.value("select count(*) from job_batches") == 0


@pytest.mark.parametrize("missing", ["batches.run", "servers.restart"])
async def test_who_stops_it_may_do_it_on_every_server_of_it(fleet: Fleet, missing: str) -> None:
    await fleet.start()
    with pytest.raises(NotPermitted, match=missing):
        await fleet.stop(actor=await mia(fleet, *ALL, but={missing: 2}))
    assert await fleet.jobs() == ["queued", "held", "held"]
    assert (await fleet.stop(actor=await mia(fleet, *ALL))).title == "W-1 begins nothing more"


async def test_who_sees_none_of_its_servers_sees_no_batch(fleet: Fleet) -> None:
    await fleet.start()
    await fleet.more(tag="us")
    who = await mia(fleet, *ALL, on=3)
    with pytest.raises(NotPermitted):
        await fleet.batches.show(who, "W-1")
    assert await fleet.batches.suggest(who, "") == []
    assert [batch.number for batch in await fleet.batches.suggest(fleet.owner, "w-1")] == [1]
    assert [batch.number for batch in await fleet.batches.suggest(fleet.owner, "EU", live=True)] == [1]
    assert await fleet.batches.suggest(fleet.owner, "stop") == []


async def test_another_org_has_no_such_batch(fleet: Fleet, world: World) -> None:
    await fleet.start()
    other = await World(world.db, guild=2002).found()
    stranger = other.admin()
    for attempt in (fleet.batches.show(stranger, "W-1"), fleet.batches.stop(again(stranger), "1")):
        with pytest.raises(NotFound, match="There is no batch"):
            await attempt
    assert await fleet.batches.message(other.org_id, str(await fleet.batch("id"))) is None
