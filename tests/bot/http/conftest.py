"""The web side under test."""

from collections.abc import AsyncIterator

import pytest

from bot.services.agents import HostIdentity
from tests.bot.world import Site, World, serving


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    async with serving(world) as site:
        yield site


@pytest.fixture
async def host(world: World, site: Site) -> HostIdentity:
    """A paired host; `site` speaks with its key."""
    identity, site.key = await world.pair()
    return identity
