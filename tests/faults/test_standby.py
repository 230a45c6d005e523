"""Two processes on one database: one is connected to Discord, the other one waits."""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import Final

import pytest
from sqlalchemy import text

from bot.workers.sweeps import DUTIES
from db.engine import Database
from tests.wire.bot import BotProcess
from tests.wire.conftest import MakeBot
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction

REGAINED_WITHIN: Final = 5.0
SLACK: Final = 2.5
"""A machine on which everything runs at once gives a process its turn late, ours that looks as well."""
EVERYTHING: Final = frozenset({"shard:0", *DUTIES})
_LIVE: Final = text(
    "/* test.live */ select duty, holder from leases where expires_at > now() and duty not like 'role:%'"
)


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


async def leads(db: Database) -> dict[str, str]:
    """What is held now, and by whom."""
    async with db.read() as session:
        return {row.duty: row.holder for row in await session.execute(_LIVE)}


async def regained(db: Database, by: str) -> float:
    """Waits until one process has everything; how many seconds that took."""
    began = time.monotonic()
    while await leads(db) != dict.fromkeys(EVERYTHING, by):
        assert time.monotonic() - began < REGAINED_WITHIN + SLACK, await leads(db)
        await asyncio.sleep(0.05)
    return time.monotonic() - began


def name_of(bot: BotProcess) -> str:
    """What it is called in the table of leases."""
    (*_, name) = re.findall(r"this process is (\S+)", bot.log())
    return name


async def test_every_duty_and_shard_is_regained_within_five_seconds(pair: Pair, db: Database) -> None:
    first, second = name_of(pair.first), name_of(pair.second)
    assert await leads(db) == dict.fromkeys(EVERYTHING, first)
    pair.first.freeze()
    stopped = await regained(db, second)
    pair.first.thaw()
    await pair.first.until(lambda: "another process has" in pair.first.log(), 5)
    assert await leads(db) == dict.fromkeys(EVERYTHING, second), "who wakes does not take it back"
    await pair.second.kill()
    killed = await regained(db, first)
    print(f"regained after {stopped:.1f} s (stopped) and {killed:.1f} s (killed)")
    await pair.discord.gateway.until_connected(1)
    await pair.second.start(connects=False)
    assert await pair.first.terminate() == 0
    await regained(db, name_of(pair.second))


async def test_a_newcomer_gets_a_shard_and_cuts_off_no_other(discord: DiscordServer, make_bot: MakeBot) -> None:
    """And gives it back when it ends; whoever is connected all the time answers all the time."""
    first, second = make_bot("first", shards=2), make_bot("second", shards=2)
    await first.spawn()
    await first.until(lambda: len(discord.gateway.connected) == 2 and bool(discord.commands))
    before = {session.id for session in discord.gateway.connected}
    await second.spawn()
    await second.until(lambda: len({session.id for session in discord.gateway.connected} - before) == 1)
    await discord.gateway.until_connected(2)
    stayed = before & {session.id for session in discord.gateway.connected}
    assert len(stayed) == 1, "the other one did not connect anew"
    assert await second.terminate() == 0
    await discord.gateway.until_connected(2)
