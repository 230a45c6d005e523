"""A town for each test, and Discord around it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.town import Town, founded
from tests.wire.conftest import bot, discord, make_bot
from tests.wire.discord_server import DiscordServer

__all__ = ["bot", "discord", "make_bot", "town"]


@pytest.fixture
async def town(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """With a server that runs."""
    async with founded(Town(tmp_path, discord, database_url)) as made:
        yield made
