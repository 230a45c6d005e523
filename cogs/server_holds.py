"""/server hold and release: a server that is left alone."""

from discord import app_commands
from discord.ext import commands

from bot.gate import Call, Reply, Show, action, gate
from bot.ui import confirm
from cogs import choices, maintenance_choices


@app_commands.command(name="hold", description="Let people, schedules and batches leave a server alone")
@app_commands.describe(
    server="Which server",
    reason="Shown to everybody who wants to do something to it",
    duration="Such as 2h · friday 18:00; else until /server release",
)
@app_commands.autocomplete(server=choices.server, duration=maintenance_choices.duration)
@gate("servers.stop")
async def hold(call: Call, server: str, reason: app_commands.Range[str, 1, 300], duration: str = "") -> Reply:
    """It is held at once; nothing is lost by that, so nothing is asked."""
    return Reply(confirm.done(await call.services.holds.hold(call.actor, server, reason, duration)))


@app_commands.command(name="release", description="End a server's hold")
@app_commands.describe(server="Which server")
@app_commands.autocomplete(server=choices.server)
@gate("servers.stop")
async def release(call: Call, server: str) -> Reply:
    """Whoever may hold may release, other people's holds too."""
    return Reply(confirm.done(await call.services.holds.release(call.actor, server)))


@action("server.release", "servers.stop", Show.PRIVATE)
async def _release(call: Call, server: str) -> Reply:
    """On messages of versions that did not say which hold is meant; one may stand there for weeks."""
    return Reply(confirm.done(await call.services.holds.release(call.actor, server)))


@action("server.release_this", "servers.stop", Show.PRIVATE)
async def _release_this(call: Call, server: str, since: str) -> Reply:
    return Reply(confirm.done(await call.services.holds.release(call.actor, server, since=since)))


async def setup(bot: commands.Bot) -> None:
    """Adds the commands to the group of `cogs.server`, which is loaded before."""
    group = bot.tree.get_command("server")
    assert isinstance(group, app_commands.Group)
    group.add_command(hold)
    group.add_command(release)
