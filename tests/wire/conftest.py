"""Discord on loopback and the real bot that is connected to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.harness import free_port
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
async def bot(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[BotProcess]:
    """Started and connected."""
    process = BotProcess(tmp_path, discord, database_url, port=free_port())
    await process.start()
    yield process
    await process.clean_up()
