"""/schedule: add, list, show, edit, run, skip, pause, resume, remove."""

from discord import app_commands
from discord.ext import commands

from bot.domain.actions import ACTIONS
from bot.gate import Call, Reply, gate
from bot.services.schedules_editing import Change
from bot.services.schedules_wishes import Wish
from bot.ui import confirm, schedules_preview
from cogs import choices, schedule_buttons

_ACTIONS = [app_commands.Choice(name=name, value=name) for name in ACTIONS]
_OVERLAP = [
    app_commands.Choice(name="leave the run out", value="skip"),
    app_commands.Choice(name="wait", value="queue"),
]
_OPTIONS = {
    "text": "What to announce, or the console's command",
    "name": "What to call it",
    "zone": "Whose clock counts; without it the community's",
    "warn": "Tell players so many minutes before, such as: 5 · 15, 5, 1",
    "window": "Only inside these hours, such as: 02:00-06:00 · 22:00-04:00",
    "only_online": "Only while the server is up",
    "only_empty": "Only while nobody plays",
    "overlap": "What to do while something else goes on there",
    "retries": "How often to try again what failed",
    "backoff": "Seconds before it is tried again; twice as long each time",
    "catch_up": "Do a missed run once, late, instead of leaving it out",
}
_Retries = app_commands.Range[int, 0, 10]
_Backoff = app_commands.Range[int, 1, 3600]


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
        **_OPTIONS,
    )
    @app_commands.choices(action=_ACTIONS, overlap=_OVERLAP)
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
        warn: str = "",
        window: str = "",
        only_online: bool = False,
        only_empty: bool = False,
        overlap: str = "skip",
        retries: _Retries = 0,
        backoff: _Backoff = 30,
        catch_up: bool = False,
    ) -> Reply:
        wish = Wish(
            action=action,
            when=when,
            server=server,
            tag=tag,
            text=text,
            name=name,
            zone=zone,
            warn=warn,
            window=window,
            only_online=only_online,
            only_empty=only_empty,
            overlap=overlap,
            retries=retries,
            backoff=backoff,
            catch_up=catch_up,
        )
        return Reply(schedules_preview.preview(await call.services.schedule_adding.ask(call.actor, wish)))

    @app_commands.command(name="list", description="Schedules: when each runs next and how it went last")
    @gate("schedules.view")
    async def list(self, call: Call) -> Reply:
        return await schedule_buttons.page(call, 0)

    @app_commands.command(name="show", description="A schedule: what it does, its next runs, and how it went")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.view")
    async def show(self, call: Call, schedule: str) -> Reply:
        return await schedule_buttons.show(call, schedule)

    @app_commands.command(name="edit", description="Change a schedule; what is left out stays as it is")
    @app_commands.describe(
        schedule="Which schedule",
        when="Such as: every day at 4 · weekdays 6:30 · every 6 hours · 30 4 * * 1-5",
        **{**_OPTIONS, "zone": "Whose clock counts", "warn": _OPTIONS["warn"] + " · none", "window": "Or none"},
    )
    @app_commands.choices(overlap=_OVERLAP)
    @app_commands.autocomplete(schedule=choices.schedule, when=choices.cron, zone=choices.zone)
    @gate("schedules.manage")
    async def edit(
        self,
        call: Call,
        schedule: str,
        when: str = "",
        text: str = "",
        name: str = "",
        zone: str = "",
        warn: str = "",
        window: str = "",
        only_online: bool | None = None,
        only_empty: bool | None = None,
        overlap: str = "",
        retries: _Retries | None = None,
        backoff: _Backoff | None = None,
        catch_up: bool | None = None,
    ) -> Reply:
        change = Change(
            when=when,
            text=text,
            name=name,
            zone=zone,
            warn=warn,
            window=window,
            only_online=only_online,
            only_empty=only_empty,
            overlap=overlap,
            retries=retries,
            backoff=backoff,
            catch_up=catch_up,
        )
        return Reply(schedules_preview.preview(await call.services.schedule_editing.ask(call.actor, schedule, change)))

    @app_commands.command(name="run", description="Do now, once, what a schedule does")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def run(self, call: Call, schedule: str) -> Reply:
        return Reply(confirm.question(await call.services.schedule_running.ask(call.actor, schedule)))

    @app_commands.command(name="skip", description="Leave the next runs out")
    @app_commands.describe(schedule="Which schedule", count="How many; 0 takes it back")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def skip(self, call: Call, schedule: str, count: app_commands.Range[int, 0, 100] = 1) -> Reply:
        return Reply(confirm.done(await call.services.schedules.skip(call.actor, schedule, count)))

    @app_commands.command(name="pause", description="Let a schedule rest")
    @app_commands.describe(schedule="Which schedule", until="Such as: 2d · friday 18:00; else until /schedule resume")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def pause(self, call: Call, schedule: str, until: str = "") -> Reply:
        return Reply(confirm.done(await call.services.schedules.pause(call.actor, schedule, until)))

    @app_commands.command(name="resume", description="Let a paused schedule run again")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def resume(self, call: Call, schedule: str) -> Reply:
        return Reply(confirm.done(await call.services.schedules.resume(call.actor, schedule)))

    @app_commands.command(name="remove", description="Remove a schedule")
    @app_commands.describe(schedule="Which schedule")
    @app_commands.autocomplete(schedule=choices.schedule)
    @gate("schedules.manage")
    async def remove(self, call: Call, schedule: str) -> Reply:
        return Reply(confirm.question(await call.services.schedules.ask_remove(call.actor, schedule)))


async def setup(bot: commands.Bot) -> None:
    await bot.add_cog(ScheduleCog())
