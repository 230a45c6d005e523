"""SIGTERM: what is under way is brought to its end before the connection to Discord is given up."""

import asyncio

from sqlalchemy import text

from bot.domain.actors import system
from db.engine import Database
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer


async def test_a_command_under_way_is_answered(discord: DiscordServer, bot: BotProcess, db: Database) -> None:
    guild = discord.guild
    async with db.uow(system("test")) as tx:
        await tx.session.execute(text("lock table server_instances in access exclusive mode"))
        asked = await discord.slash(guild.owner, guild.general, "server list")
        await bot.until(lambda: bool(asked.callbacks))
        ended = asyncio.create_task(bot.terminate())
        await asyncio.sleep(0.5)
    assert await ended == 0
    assert "Servers" in (await asked.answer(1)).text, bot.log()
