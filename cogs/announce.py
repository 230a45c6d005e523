"""/announce: says something in the games."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, gate
from bot.ui import confirm
from cogs import choices


class AnnounceCog(commands.Cog):
    """Handler of /announce."""

    @app_commands.command(name="announce", description="Say something in one game, or in all that are up")
    @app_commands.describe(text="What to say", server="Only on this server")
    @app_commands.autocomplete(server=choices.server)
    @app_commands.guild_only()
    @app_commands.default_permissions(moderate_members=True)
    @gate("servers.console")
    async def announce(self, call: Call, text: str, server: str = "") -> Reply:
        return Reply(confirm.done(await call.services.consoles.announce(call.actor, text, server)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(AnnounceCog())
