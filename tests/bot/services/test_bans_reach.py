"""Bans by somebody who may ban in the whole community but not on one server."""

import pytest

from bot.domain.actors import Actor
from bot.errors import NotPermitted
from bot.services.bans import Bans
from tests.bot.grants import bind, deny
from tests.bot.people import MODERATORS, People
from tests.bot.services.court import STEAM, Court
from tests.bot.world import World

BOB = f"steam:{STEAM}"


@pytest.fixture
async def court(world: World) -> Court:
    court = Court(world, await People(world.db).owner())
    await court.host("gs-1", "EU1", "EU2")
    return court


@pytest.fixture
async def mia(court: Court) -> Actor:
    """A moderator who may not ban on EU2."""
    people = People(court.world.db)
    await bind(court.world, MODERATORS, "moderator")
    mia = await people.actor("mia", MODERATORS)
    for permission in ("bans.create", "bans.revoke"):
        await deny(court.world, mia, permission, await court.id_of("EU2"))
    return mia


async def test_it_holds_where_they_may_and_says_where_not(court: Court, mia: Actor) -> None:
    asked = await court.ask(BOB, mia)
    assert [target.place.name for target in asked.targets] == ["EU1"] and asked.denied == ("EU2",)
    await court.press(asked, mia)
    assert await court.statuses() == {"EU1": "syncing"}
    everywhere = await court.world.value("select applies_to_all from org_bans")
    assert everywhere is False, "else it would come to EU2 by itself"


async def test_a_server_that_they_do_not_see_is_not_named(court: Court, mia: Actor) -> None:
    await deny(court.world, mia, "servers.view", await court.id_of("EU2"))
    asked = await court.ask(BOB, await People(court.world.db).actor("mia", MODERATORS))
    assert asked.denied == ("1 that you do not see",)


async def test_a_case_that_reaches_further_is_out_of_their_hands(court: Court, mia: Actor) -> None:
    await court.ban(BOB)
    with pytest.raises(NotPermitted, match=r"bans\.create"):
        await court.ask(BOB, mia, reason="another")
    with pytest.raises(NotPermitted, match=r"bans\.revoke"):
        await court.lift(by=mia)
    await court.lift()


async def test_a_case_of_the_whole_community_is_not_for_who_may_on_every_server_of_today(court: Court) -> None:
    people = People(court.world.db)
    for server in ("EU1", "EU2"):
        await bind(court.world, MODERATORS, "moderator", await court.id_of(server))
    await court.ban(BOB)
    lou = await people.actor("lou", MODERATORS)
    with pytest.raises(NotPermitted, match=r"bans\.create"):
        await court.ask(BOB, lou, reason="another")
    with pytest.raises(NotPermitted, match=r"bans\.revoke"):
        await court.lift(by=lou)
    assert not (await Bans(court.world.db).show(lou, "B-1")).may_lift


async def test_who_may_ban_nowhere_is_refused_with_the_exception(court: Court, mia: Actor) -> None:
    await deny(court.world, mia, "bans.create", await court.id_of("EU1"))
    with pytest.raises(NotPermitted) as refused:
        await court.ask(BOB, mia)
    assert refused.value.remedy.startswith("An exception takes it from you on this server.")
