"""/notify: which messages go to which channels."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, gate, suggest
from bot.services.channels import NAME_MAX, SEVERITIES
from bot.services.setup import PURPOSES
from bot.ui import channels
from bot.ui.cards import listing, notice
from cogs.posting import where

_PURPOSES = [app_commands.Choice(name=purpose, value=purpose) for purpose in PURPOSES]
_SEVERITIES = [app_commands.Choice(name=f"{severity} and above", value=severity) for severity in SEVERITIES]


@suggest
async def _name(call: Call, current: str) -> list[app_commands.Choice[str]]:
    found = await call.services.channels.suggest(call.actor, current)
    return [app_commands.Choice(name=channels.short(channel), value=str(channel.id)) for channel in found]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
class NotifyCog(commands.GroupCog, group_name="notify", group_description="Which messages go to which channels"):
    """Handlers of /notify."""

    @app_commands.command(name="add", description="Send messages of a purpose to one more channel")
    @app_commands.describe(
        name="What you call it", purpose="Which messages", channel="Where", min_severity="Only alerts this severe"
    )
    @app_commands.choices(purpose=_PURPOSES, min_severity=_SEVERITIES)
    @gate("notifications.manage")
    async def add(
        self,
        call: Call,
        name: app_commands.Range[str, 1, NAME_MAX],
        purpose: str,
        channel: discord.TextChannel,
        min_severity: str = "",
    ) -> Reply:
        made = await call.services.channels.add(
            call.actor, where(channel), name=name, purpose=purpose, severity=min_severity
        )
        return Reply(
            notice(f"Messages for {made.purpose} go to <#{made.channel_id}>", "One that says so is on its way there.")
        )

    @app_commands.command(name="list", description="What goes where, and what was switched off")
    @gate("notifications.manage")
    async def list(self, call: Call) -> Reply:
        lines = [channels.line(shown) for shown in await call.services.channels.list(call.actor)]
        empty = "No channel is set: messages go where the command was typed. `/notify add` sends them elsewhere."
        return Reply(listing("Where messages go", lines, empty=empty))

    @app_commands.command(name="test", description="Post a test message; tries one again that was switched off")
    @app_commands.describe(name="Which one")
    @app_commands.autocomplete(name=_name)
    @gate("notifications.manage")
    async def test(self, call: Call, name: str) -> Reply:
        channel = await call.services.channels.test(call.actor, name)
        text = f"If none appears in <#{channel.channel_id}>, `/notify list` says why."
        return Reply(notice("A test message is on its way", text))

    @app_commands.command(name="remove", description="Send nothing there any more")
    @app_commands.describe(name="Which one")
    @app_commands.autocomplete(name=_name)
    @gate("notifications.manage")
    async def remove(self, call: Call, name: str) -> Reply:
        return Reply(channels.removed(await call.services.channels.remove(call.actor, name)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(NotifyCog())
