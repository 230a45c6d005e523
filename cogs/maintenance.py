"""/maintenance: start, plan, end, list."""

from discord import app_commands
from discord.ext import commands

from bot import clock
from bot.gate import Call, Reply, Show, action, gate
from bot.ui import confirm, maintenance
from bot.ui.cards import listing
from cogs import maintenance_choices as choices

Reason = app_commands.Range[str, 1, 300]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class MaintenanceCog(
    commands.GroupCog, group_name="maintenance", group_description="Times without alerts, schedules and batches"
):
    """Handlers of /maintenance."""

    @app_commands.command(name="start", description="Begin maintenance now; players are told")
    @app_commands.describe(
        target="A server, a host, a tag or everything",
        duration="Such as 2h · until 18:00; at most 7 days",
        reason="Shown on its message and on cards, not in the games",
    )
    @app_commands.autocomplete(target=choices.target, duration=choices.duration)
    @gate("schedules.manage")
    async def start(self, call: Call, target: str, duration: str, reason: Reason) -> Reply:
        return Reply(confirm.done(await call.services.maintenance.start(call.actor, target, duration, reason)))

    @app_commands.command(
        name="plan", description="Let maintenance begin by itself; players hear of it ten minutes before"
    )
    @app_commands.describe(
        target="A server, a host, a tag or everything",
        start="Such as in 2h · friday 18:00 · 2026-12-24 8:00, by the community's clock",
        duration="Such as 2h · until 18:00; at most 7 days",
        reason="Shown on its message and on cards, not in the games",
    )
    @app_commands.autocomplete(target=choices.target, duration=choices.duration)
    @gate("schedules.manage")
    async def plan(self, call: Call, target: str, start: str, duration: str, reason: Reason) -> Reply:
        return Reply(confirm.done(await call.services.maintenance.plan(call.actor, target, start, duration, reason)))

    @app_commands.command(name="end", description="End maintenance before its time, or cancel what is planned")
    @app_commands.describe(window="Which maintenance")
    @app_commands.autocomplete(window=choices.window)
    @gate("schedules.manage")
    async def end(self, call: Call, window: str) -> Reply:
        return await _end(call, window)

    @app_commands.command(name="list", description="Maintenance under way, planned, and of the last week")
    @gate("schedules.view")
    async def list(self, call: Call) -> Reply:
        return await _page(call, 0)


@action("maintenance.end", "schedules.manage", Show.PRIVATE)
async def _end(call: Call, window: str) -> Reply:
    return Reply(confirm.done(await call.services.maintenance.end(call.actor, window)))


@action("maintenance.page", "schedules.view")
async def _page(call: Call, page: int) -> Reply:
    found = await call.services.maintenance.list(call.actor, page)
    lines = [maintenance.line(window, clock.now()) for window in found.rows]
    empty = "No maintenance is under way or planned. `/maintenance start` begins one."
    return Reply(
        listing("Maintenance", lines, empty=empty, page=found.number, more=found.more, route="maintenance.page")
    )


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(MaintenanceCog())
