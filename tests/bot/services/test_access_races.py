"""Two administrators who remove each other at the same moment, with real transactions: one of them stays."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.domain.actors import Actor
from bot.errors import Conflict, NotPermitted
from db.queries import access_write
from tests.bot.people import again
from tests.bot.services.access_world import ADMINS, DEPUTIES, NEW, Court, person
from tests.bot.world import World

Act = Callable[[Court, Actor], Awaitable[object]]
GERT, HANS = person("gert"), person("hans")

OWN_ROLES: dict[str, tuple[Act, Act]] = {
    "clear": (
        lambda court, gert: court.clearing.clear(gert, HANS, ""),
        lambda court, hans: court.clearing.clear(hans, GERT, ""),
    ),
    "grant": (
        lambda court, gert: court.members.grant(gert, HANS, "viewer"),
        lambda court, hans: court.members.grant(hans, GERT, "viewer"),
    ),
    "deny": (
        lambda court, gert: court.deny(gert, HANS, "users.permissions"),
        lambda court, hans: court.deny(hans, GERT, "users.permissions"),
    ),
    "themselves": (
        lambda court, gert: court.clearing.clear(gert, GERT, ""),
        lambda court, hans: court.clearing.clear(hans, HANS, ""),
    ),
}


@pytest.fixture
async def court(world: World) -> Court:
    """Without anybody who administers but those whom a test makes administrators."""
    opened = await Court.opened(world)
    for discord_role in (DEPUTIES, ADMINS):
        await opened.unbind(await opened.owner(), discord_role)
    return opened


async def administered(court: Court) -> bool:
    async with court.world.db.read() as session:
        return await access_write.administered(session, court.world.org_id, (await court.owner()).at)


async def both(court: Court, *acts: Awaitable[object]) -> None:
    """One of the two is refused, and somebody is left."""
    results = await asyncio.gather(*acts, return_exceptions=True)
    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == 1 and isinstance(refused[0], Conflict | NotPermitted), results
    assert await administered(court)


@pytest.mark.parametrize("acts", OWN_ROLES.values(), ids=OWN_ROLES.keys())
async def test_of_two_who_remove_each_other_one_stays(court: Court, acts: tuple[Act, Act]) -> None:
    gert, hans = await court.actor("gert"), await court.actor("hans")
    for _ in range(5):
        for who in (GERT, HANS):
            await court.members.grant(await court.owner(), who, "admin")
        await both(court, acts[0](court, again(gert)), acts[1](court, again(hans)))
        for who in (GERT, HANS):
            await court.members.grant(await court.owner(), who, "operator")
            await court.clearing.clear(await court.owner(), who, "")


async def test_of_two_discord_roles_that_unbind_each_other_one_stays(court: Court) -> None:
    ada, nora = await court.actor("ada", ADMINS), await court.actor("nora", NEW)
    for _ in range(5):
        for discord_role in (ADMINS, NEW):
            await court.bind(await court.owner(), discord_role, "admin")
        await both(court, court.unbind(again(ada), NEW), court.bind(again(nora), ADMINS, "viewer"))
        for discord_role in (ADMINS, NEW):
            await court.bind(await court.owner(), discord_role, "player")
