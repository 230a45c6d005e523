"""/setup: start, channels. The steps of the wizard are in `setup_steps`."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, gate
from bot.services.setup import PURPOSES
from bot.ui.cards import notice
from cogs.setup_steps import shown

_PURPOSES = [app_commands.Choice(name=purpose, value=purpose) for purpose in PURPOSES]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class SetupCog(commands.GroupCog, group_name="setup", group_description="First steps, and what is missing"):
    """Handlers of /setup."""

    @app_commands.command(name="start", description="Clock, roles, channels, the first host and server, step by step")
    @gate("settings.edit")
    async def start(self, call: Call) -> Reply:
        return await shown(call, None)

    @app_commands.command(name="channels", description="Send messages of a purpose to a channel")
    @app_commands.describe(purpose="Which messages", channel="Where")
    @app_commands.choices(purpose=_PURPOSES)
    @gate("settings.edit")
    async def channels(self, call: Call, purpose: str, channel: discord.TextChannel) -> Reply:
        await call.services.wizard.choose_channel(call.actor, purpose, channel.id)
        return Reply(notice(f"Messages for {purpose} go to <#{channel.id}>", "One that says so is on its way there."))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(SetupCog())
