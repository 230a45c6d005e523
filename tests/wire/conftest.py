"""Discord on loopback and the real bot that is connected to it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.agent.harness import free_port
from tests.wire.bot import BotProcess
from tests.wire.discord_server import TOKEN, DiscordServer


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


MakeBot = Callable[..., BotProcess]
"""Makes a process that is not started yet: `name`, `token`, `database_url` and `shards` may be given."""


@pytest.fixture
async def make_bot(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[MakeBot]:
    made: list[BotProcess] = []

    def make(name: str = "bot", *, token: str = TOKEN, database_url: str = database_url, shards: int = 1) -> BotProcess:
        port = free_port()
        made.append(BotProcess(tmp_path, discord, database_url, port=port, name=name, token=token, shards=shards))
        return made[-1]

    yield make
    for bot in made:
        print(f"---- {bot.log_file.name}\n{bot.log()}")
        await bot.clean_up()


@pytest.fixture
async def bot(make_bot: MakeBot) -> BotProcess:
    """Started and connected."""
    made = make_bot()
    await made.start()
    return made
