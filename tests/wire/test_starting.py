"""What the bot makes of a Discord that does not let it in."""

from tests.wire.conftest import MakeBot
from tests.wire.discord_server import DiscordServer


async def test_a_wrong_token_is_said_in_a_sentence(make_bot: MakeBot) -> None:
    bot = make_bot(token="wrong")
    await bot.spawn()
    assert await bot.ended() == 1
    assert "Discord refuses GAMEKEEPER_DISCORD_TOKEN." in bot.log() and "Traceback" not in bot.log()


async def test_a_discord_that_is_away_is_waited_for(discord: DiscordServer, make_bot: MakeBot) -> None:
    discord.trouble.refuse("GET /users/@me", 503, times=2)
    await make_bot().start()
    guild = discord.guild
    assert "Servers" in (await (await discord.slash(guild.owner, guild.ops, "server list")).answer()).text
