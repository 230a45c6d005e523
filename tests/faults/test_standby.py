"""Two processes on one database: one is connected to Discord, the other one waits."""

from dataclasses import dataclass

import pytest
from sqlalchemy import text

from db.engine import Database
from tests.wire.bot import BotProcess
from tests.wire.conftest import MakeBot
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction


@dataclass
class Pair:
    """The first process holds the shard, the second one stands by."""

    discord: DiscordServer
    first: BotProcess
    second: BotProcess

    async def asks(self) -> Interaction:
        """The owner asks for a pairing command: a change, so it would be seen if it happened twice."""
        guild = self.discord.guild
        return await self.discord.slash(guild.owner, guild.ops, "host add", name=f"h{len(self.discord.interactions)}")


@pytest.fixture
async def pair(discord: DiscordServer, make_bot: MakeBot) -> Pair:
    made = Pair(discord, make_bot("first"), make_bot("second"))
    await made.first.start()
    await made.second.start(connects=False)
    assert len(discord.gateway.connected) == 1
    return made


async def test_a_frozen_process_is_replaced_and_gives_way(pair: Pair, db: Database) -> None:
    gateway = pair.discord.gateway
    (frozen,) = gateway.connected
    assert "h0" in (await (await pair.asks()).answer()).text
    pair.first.freeze()
    await gateway.until_connected(2)
    both = await pair.asks()
    assert "gamekeeper-agent pair" in (await both.answer()).text
    pair.first.thaw()
    await gateway.until_connected(1)
    assert gateway.connected != [frozen] and len(both.callbacks) == 1 and not both.followups
    alone = await pair.asks()
    await alone.answer()
    await pair.second.kill()
    await gateway.until_connected(0)
    await gateway.until_connected(1)
    assert "gamekeeper-agent pair" in (await (await pair.asks()).answer()).text
    async with db.read() as session:
        audited = await session.execute(text("select interaction_id from audit_logs where action = 'host.add'"))
        assert sorted(audited.scalars()) == list(pair.discord.interactions)
        assert await session.scalar(text("select count(*) from pairing_tokens")) == 4


async def test_a_process_that_ends_hands_over_at_once(pair: Pair) -> None:
    """Its messages are the other one's from then on."""
    assert await pair.first.terminate() == 0
    await pair.discord.gateway.until_connected(1, seconds=2.5)
    guild = pair.discord.guild
    given = {"purpose": "ops", "channel": str(guild.ops.id)}
    await pair.discord.slash(guild.owner, guild.general, "setup channels", **given)
    await pair.discord.message(guild.ops, "Messages for ops arrive here")
