"""/setup start: channels, role presets, the first host."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, action, gate
from bot.services.setup import ASKED, BINDABLE
from bot.ui import setup as cards


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class SetupCog(commands.GroupCog, group_name="setup", group_description="First steps, and what is missing"):
    """Handlers of /setup."""

    @app_commands.command(name="start", description="Channels, roles and the first host, in five minutes")
    @gate("settings.edit")
    async def start(self, call: Call) -> Reply:
        return await _start(call)


@action("setup.start", "settings.edit")
async def _start(call: Call) -> Reply:
    return Reply(cards.start_card(await call.services.setup.progress(call.actor), ASKED, BINDABLE))


@action("setup.channel", "settings.edit")
async def channel(call: Call, purpose: str) -> Reply:
    """A channel was chosen for a purpose, or taken away."""
    chosen = call.value()
    await call.services.setup.set_channel(call.actor, purpose, int(chosen) if chosen else None)
    return await _start(call)


@action("setup.roles", "settings.edit")
async def roles(call: Call, preset: str) -> Reply:
    """Discord roles were chosen for a preset."""
    await call.services.setup.bind(call.actor, preset, [int(role) for role in call.values.get("values", [])])
    return await _start(call)


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(SetupCog())
