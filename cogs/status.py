"""/status: how the servers are, for everybody."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate
from bot.ui import servers
from bot.ui.cards import listing
from cogs import choices


class StatusCog(commands.Cog):
    """Handler of /status."""

    @app_commands.command(name="status", description="How a server is, or all of them")
    @app_commands.describe(server="Only this server")
    @app_commands.autocomplete(server=choices.server)
    @app_commands.guild_only()
    @gate("servers.view", Show.CHANNEL)
    async def status(self, call: Call, server: str = "") -> Reply:
        if server:
            return Reply(servers.status_card(await call.services.servers.show(call.actor, server)))
        return await _all(call, 0)


@action("status.page", "servers.view")
async def _all(call: Call, page: int) -> Reply:
    found = await call.services.servers.list(call.actor, page=page)
    lines = [servers.line(server) for server in found.rows]
    return Reply(
        listing("Servers", lines, empty="No servers yet.", page=found.number, more=found.more, route="status.page")
    )


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(StatusCog())
