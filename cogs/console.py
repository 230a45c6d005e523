"""/console run: one line to a game's console."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, gate
from bot.ui.cards import notice
from cogs import choices


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class ConsoleCog(commands.GroupCog, group_name="console", group_description="The consoles of the games"):
    """Handlers of /console."""

    @app_commands.command(name="run", description="Send one line to a server's console")
    @app_commands.describe(server="Which server", command="One line, at most 512 characters")
    @app_commands.autocomplete(server=choices.server)
    @gate("servers.console")
    async def run(self, call: Call, server: str, command: str) -> Reply:
        done = await call.services.consoles.run(call.actor, server, command)
        return Reply(notice(done.title, done.text))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ConsoleCog())
