"""What `/setup check` asks Discord, over the wire: once each, and no longer than somebody waits."""

from typing import Any

from tests.wire.bot import BotProcess
from tests.wire.discord_server import BOT_ID, DiscordServer

SETTINGS = rf"GET /applications/{BOT_ID}/guilds/\d+/commands/permissions"
COMMANDS = rf"GET /applications/{BOT_ID}/commands"
ROLE, CHANNEL = 1, 3


async def check(discord: DiscordServer) -> str:
    guild = discord.guild
    return (await (await discord.slash(guild.owner, guild.general, "setup check")).answer()).text


def setting(target: int, kind: int, *, shown: bool) -> dict[str, Any]:
    return {"id": str(target), "type": kind, "permission": shown}


async def test_rights_commands_and_what_is_set_for_them(discord: DiscordServer, bot: BotProcess) -> None:
    guild = discord.guild
    (status,) = [command["id"] for command in discord.commands if command["name"] == "status"]
    words = await check(discord)
    assert "shown to those who may use them" in words
    assert "⚠ The bot lacks Embed Links, Attach Files, Read Message History." in words
    assert (discord.trouble.count(SETTINGS), discord.trouble.count(COMMANDS)) == (1, 1), (
        "however many commands there are"
    )
    discord.command_settings[status] = [setting(guild.id, ROLE, shown=False)]
    assert "Discord hides `/status` from **everybody**" in await check(discord)
    discord.command_settings = {str(BOT_ID): [setting(guild.id - 1, CHANNEL, shown=False)]}
    words = await check(discord)
    assert "switched off in all channels" in words and "`/access`" in words
    assert discord.syncs == 1
    discord.command_settings.clear()
    discord.commands = [command for command in discord.commands if command["name"] in ("setup", "status")]
    answer = await (await discord.slash(guild.owner, guild.general, "setup check")).answer()
    assert "✗ Discord has other commands than this version." in answer.text
    pressed = await (await discord.press(guild.owner, answer, "Register again")).answer()
    assert "The commands are registered" in pressed.text and "those of this version" in pressed.text
    assert discord.syncs == 2 and len(discord.commands) > 20

    discord.trouble.refuse(SETTINGS, 403, 50001)
    words = await check(discord)
    assert "Discord did not say whom it shows them to." in words and "those of this version" in words
    silent = discord.trouble.hold(SETTINGS)
    answer = await check(discord)
    assert "Discord did not say whom it shows them to." in answer and "✓ **Database**" in answer
    silent.release()
