"""Pages, buttons and forms of /schedule: its list, the card of a schedule, and the steps on a preview."""

from uuid import UUID

from bot.domain.actions import ACTIONS
from bot.errors import Invalid
from bot.gate import Call, Reply, Show, action
from bot.services.schedules_editing import Change
from bot.ui import confirm, schedules, schedules_preview, schedules_show, schedules_steps
from bot.ui.cards import listing


@action("schedule.page", "schedules.view")
async def page(call: Call, page: int) -> Reply:
    """One page of the list."""
    found = await call.services.schedules.list(call.actor, page)
    unbacked = await call.services.schedule_authors.unbacked(call.actor, found.rows)
    lines = [schedules.line(schedule, unbacked=schedule.id in unbacked) for schedule in found.rows]
    empty = "Nothing is done by itself yet. `/schedule add` makes the first one."
    return Reply(listing("Schedules", lines, empty=empty, page=found.number, more=found.more, route="schedule.page"))


async def show(call: Call, schedule: str) -> Reply:
    """The card of a schedule."""
    return Reply(schedules_show.show(await call.services.schedule_showing.show(call.actor, schedule)))


@action("schedule.run", "schedules.manage", Show.PRIVATE)
async def _run(call: Call, schedule: str) -> Reply:
    return Reply(confirm.question(await call.services.schedule_running.ask(call.actor, schedule)))


@action("schedule.skip", "schedules.manage")
async def _skip(call: Call, schedule: str) -> Reply:
    await call.services.schedules.skip(call.actor, schedule, 1)
    return await show(call, schedule)


@action("schedule.pause", "schedules.manage")
async def _pause(call: Call, schedule: str) -> Reply:
    await call.services.schedules.pause(call.actor, schedule, "")
    return await show(call, schedule)


@action("schedule.resume", "schedules.manage")
async def _resume(call: Call, schedule: str) -> Reply:
    await call.services.schedules.resume(call.actor, schedule)
    return await show(call, schedule)


@action("schedule.remove", "schedules.manage", Show.PRIVATE)
async def _remove(call: Call, schedule: str) -> Reply:
    return Reply(confirm.question(await call.services.schedules.ask_remove(call.actor, schedule)))


@action("schedule.edit", "schedules.manage", Show.FORM)
async def _edit(call: Call, schedule: str) -> Reply:
    """Asks what shall be different."""
    return Reply(form=schedules_show.form(await call.services.schedule_showing.wish(call.actor, schedule)))


@action("schedule.edited", "schedules.manage", Show.PRIVATE, fields=("when", "name", "window", "warn", "text*"))
async def _edited(call: Call, schedule: str) -> Reply:
    """The form of Edit: shows what would change."""
    entry = call.value
    change = Change(entry("when"), entry("text"), entry("name"), warn=entry("warn"), window=entry("window"))
    return Reply(schedules_preview.preview(await call.services.schedule_editing.ask(call.actor, schedule, change)))


@action("schedule.step", "schedules.manage", Show.FORM)
async def _step(call: Call, token: UUID) -> Reply:
    """Asks for one step more; its action was chosen in the menu."""
    return Reply(form=schedules_steps.form(token, ACTIONS[call.value()]))


@action("schedule.stepped", "schedules.manage", fields=("place", "failure", "text*"))
async def _stepped(call: Call, token: UUID, step: str) -> Reply:
    """The form of a step: the same preview with it."""
    if step not in ACTIONS:
        raise Invalid("This form is not one of ours.", "Give the command again.")
    adding = call.services.schedule_adding
    entries = (call.value("text"), call.value("place"), call.value("failure"))
    return Reply(schedules_preview.preview(await adding.with_step(call.actor, token, step, *entries)))


@action("schedule.unstep", "schedules.manage")
async def _unstep(call: Call, token: UUID) -> Reply:
    """The same preview without the step that was chosen in the menu."""
    asked = await call.services.schedule_adding.without_step(call.actor, token, int(call.value()))
    return Reply(schedules_preview.preview(asked))
