"""The buttons on the message of a planned stop or restart."""

from uuid import UUID

from discord.ext import commands

from bot.gate import Call, Reply, Show, action
from bot.ui import confirm, power


@action("power.postpone", "servers.view", Show.FORM)
async def ask_how_long(call: Call, plan: UUID) -> Reply:
    """Postponing needs to know by how much."""
    return Reply(form=power.postpone_form(await call.services.power.postponable(call.actor, plan)))


@action("power.postponed", "servers.view", Show.PRIVATE, fields=("duration",))
async def postponed(call: Call, plan: UUID) -> Reply:
    """It was entered."""
    return Reply(confirm.done(await call.services.power.postpone_plan(call.actor, plan, call.value("duration"))))


@action("power.cancel", "servers.view", Show.PRIVATE)
async def cancel(call: Call, plan: UUID) -> Reply:
    """Ends the plan."""
    return Reply(confirm.done(await call.services.power.cancel_plan(call.actor, plan)))


async def setup(bot: commands.Bot) -> None:
    """The routes above are registered by importing this module."""
