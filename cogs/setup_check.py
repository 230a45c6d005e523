"""/setup check: what is missing or broken, and buttons that mend it."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, action, gate
from bot.ui import checks


@app_commands.command(name="check", description="What is missing or broken, and how to mend it")
@gate("monitoring.view")
async def check(call: Call) -> Reply:
    """Every prerequisite, problems first."""
    return await _page(call, 0)


@action("check.page", "monitoring.view")
async def _page(call: Call, page: int) -> Reply:
    return await _shown(call, page)


@action("check.turn", "monitoring.view")
async def _turn(call: Call, page: int, _way: str) -> Reply:
    return await _shown(call, page)


@action("check.fix", "monitoring.view")
async def fix(call: Call, mend: str, target: str, page: int) -> Reply:
    """Mends one problem, with the permission of what it does, and looks again."""
    done = await call.services.setup_mending.mend(call.actor, mend, target)
    return await _shown(call, page, done)


async def _shown(call: Call, page: int, done: str = "") -> Reply:
    findings = await call.services.setup_check.look(call.actor)
    return Reply(checks.check_card(findings, call.actor.may, page=page, done=done))


async def setup(bot: commands.Bot) -> None:
    """Adds the command to the group of `cogs.setup`, which is loaded before."""
    group = bot.tree.get_command("setup")
    assert isinstance(group, app_commands.Group)
    group.add_command(check)
