"""/schedule: add, list, skip, pause, resume, remove."""

from discord import app_commands
from discord.ext import commands

from bot.domain.actions import ACTIONS
from bot.gate import Call, Reply, action, gate
from bot.services.schedules_adding import Wish
from bot.ui import confirm, schedules
from bot.ui.cards import listing, notice
from cogs import choices

_ACTIONS = [app_commands.Choice(name=name, value=name) for name in ACTIONS]


@app_commands.guild_only()
@app_commands.default_permissions(moderate_members=True)
class ScheduleCog(commands.GroupCog, group_name="schedule", group_description="What is done by itself, and when"):
    """Handlers of /schedule."""

    @app_commands.command(name="add", description="Do something by itself, again and again")
    @app_commands.describe(
        action="What to do",
        when="Such as: every day at 4 · weekdays 6:30 · every 6 hours · 30 4 * * 1-5",
        server="On this server",
        tag="On every server with this tag",
        text="What to announce, or the console's command",
        name="What to call it",
        zone="Whose clock counts; without it the community's",
        catch_up="Do a missed run once, late, instead of leaving it out",
    )
    @app_commands.choices(action=_ACTIONS)
    @app_commands.autocomplete(when=choices.cron, server=choices.server, tag=choices.tag, zone=choices.zone)
    @gate("schedules.manage")
    async def add(
        self,
        call: Call,
        action: str,
        when: str,
        server: str = "",
        tag: str = "",
        text: str = "",
        name: str = "",
        zone: str = "",
        catch_up: bool = False,
    ) -> Reply:
        wish = Wish(action, when, server, tag, text, name, zone, catch_up)
        return Reply(schedules.preview(await call.services.schedule_adding.ask(call.actor, wish)))

    @app_commands.command(name="list", description="Schedules: when each runs next and how it went last")
    @gate("schedules.view")
    async def list(self, call: Call) -> Reply:
        return await _page(call, 0)

    @app_commands.command(name="skip", description="Leave the next runs out")
    @app_commands.describe(schedule="Which schedule", count="How many; 0 takes it back")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def skip(self, call: Call, schedule: str, count: app_commands.Range[int, 0, 100] = 1) -> Reply:
        done = await call.services.schedules.skip(call.actor, schedule, count)
        return Reply(notice(done.title, done.text))

    @app_commands.command(name="pause", description="Let a schedule rest")
    @app_commands.describe(schedule="Which schedule", until="Such as: 2d · friday 18:00; else until /schedule resume")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def pause(self, call: Call, schedule: str, until: str = "") -> Reply:
        done = await call.services.schedules.pause(call.actor, schedule, until)
        return Reply(notice(done.title, done.text))

    @app_commands.command(name="resume", description="Let a paused schedule run again")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def resume(self, call: Call, schedule: str) -> Reply:
        done = await call.services.schedules.resume(call.actor, schedule)
        return Reply(notice(done.title, done.text))

    @app_commands.command(name="remove", description="Remove a schedule")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def remove(self, call: Call, schedule: str) -> Reply:
        return Reply(confirm.question(await call.services.schedules.ask_remove(call.actor, schedule)))


@action("schedule.page", "schedules.view")
async def _page(call: Call, page: int) -> Reply:
    found = await call.services.schedules.list(call.actor, page)
    unbacked = await call.services.schedule_authors.unbacked(call.actor, found.rows)
    lines = [schedules.line(schedule, unbacked=schedule.id in unbacked) for schedule in found.rows]
    empty = "Nothing is done by itself yet. `/schedule add` makes the first one."
    return Reply(listing("Schedules", lines, empty=empty, page=found.number, more=found.more, route="schedule.page"))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ScheduleCog())
