"""A town for each test, and Discord around it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.town import Town
from tests.wire.conftest import bot, discord
from tests.wire.discord_server import DiscordServer

__all__ = ["bot", "discord", "town"]


@pytest.fixture
async def town(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """With a server that runs."""
    made = Town(tmp_path, discord, database_url)
    try:
        yield await made.found()
    finally:
        await made.tell()
        await made.clean_up()
