"""/panel: status boards that keep themselves up to date."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, gate, suggest
from bot.ui import panels
from bot.ui.cards import listing, notice
from cogs import choices
from cogs.posting import where


@suggest
async def _panel(call: Call, current: str) -> list[app_commands.Choice[str]]:
    names = [(panels.short(panel), str(panel.id)) for panel in await call.services.panels.suggest(call.actor)]
    found = [(name, value) for name, value in names if current.lower() in name.lower()]
    return [app_commands.Choice(name=name, value=value) for name, value in found[:25]]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class PanelCog(
    commands.GroupCog, group_name="panel", group_description="Status boards that keep themselves up to date"
):
    """Handlers of /panel."""

    @app_commands.command(name="create", description="Post a board that shows how servers are")
    @app_commands.describe(channel="Where", server="Only this server", tag="Only servers with this tag")
    @app_commands.autocomplete(server=choices.server, tag=choices.tag)
    @gate("servers.edit")
    async def create(self, call: Call, channel: discord.TextChannel, server: str = "", tag: str = "") -> Reply:
        made = await call.services.panels.create(call.actor, where(channel), server=server, tag=tag)
        return Reply(notice(f"A board goes to <#{made.channel_id}>", "It is edited in place when something changes."))

    @app_commands.command(name="list", description="Every board, and what is wrong with it")
    @gate("servers.edit")
    async def list(self, call: Call) -> Reply:
        lines = [panels.line(panel) for panel in await call.services.panels.list(call.actor)]
        return Reply(listing("Status boards", lines, empty="There is none yet: `/panel create` posts one."))

    @app_commands.command(name="remove", description="Take a board away, with its message")
    @app_commands.describe(panel="Which board")
    @app_commands.autocomplete(panel=_panel)
    @gate("servers.edit")
    async def remove(self, call: Call, panel: str) -> Reply:
        gone = await call.services.panels.remove(call.actor, panel)
        return Reply(notice("The board is removed", f"Its message in <#{gone.channel_id}> goes, too."))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(PanelCog())
