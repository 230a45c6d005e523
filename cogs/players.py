"""/players: who is online, for everybody."""

from discord import app_commands
from discord.ext import commands

from bot.domain.words import safe
from bot.gate import Call, Reply, Show, action, gate
from bot.ui import players
from cogs import choices


class PlayersCog(commands.Cog):
    """Handler of /players."""

    @app_commands.command(name="players", description="Who is online")
    @app_commands.describe(server="Only on this server")
    @app_commands.autocomplete(server=choices.server)
    @app_commands.guild_only()
    @gate("servers.view", Show.CHANNEL)
    async def players(self, call: Call, server: str = "") -> Reply:
        return await _page(call, server, 0)


@action("players.page", "servers.view")
async def _page(call: Call, server: str, page: int) -> Reply:
    place = await call.services.servers.show(call.actor, server) if server else None
    known = place.id.hex if place else ""
    found = await call.services.players.online(call.actor, known, page)
    title = f"Online on {safe(place.name)}" if place else "Online now"
    # The select is on a public message, so everybody sees it; picking a row is refused to whoever is not staff.
    return Reply(players.online_card(found, known, title=title, staff=call.actor.may("players.view")))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(PlayersCog())
