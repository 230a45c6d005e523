"""Schedules as people see them: what a new one will do, and how those that are there go."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.actions import OF_JOB_TYPE
from bot.domain.cron import checked
from bot.domain.cron_words import EXAMPLES, parse
from bot.domain.words import safe
from bot.domain.zones import zone
from bot.ui.cards import Button, Colour, card, fitting, row
from bot.ui.texts import ago, at, block, count, job_number

if TYPE_CHECKING:
    from bot.services.schedules_adding import Preview
    from db.queries.schedules import ScheduleCard

_ROOM: Final = 2200
_LONGEST_CHOICE: Final = 100
_LONGEST_WORDS: Final = 60
_RESULTS: Final = {
    "enqueued": "under way",
    "success": "done",
    "failed": "failed",
    "skipped": "left out",
    "skipped_busy": "left out: the server was busy with something else",
    "skipped_offline": "left out: no server was up",
    "skipped_missed": "missed: nothing could be done at that time",
    "scheduler_failed": "not possible",
}


def preview(asked: Preview) -> discord.ui.LayoutView:
    """What was understood, the next runs, and the Save button."""
    plan = asked.plan
    wish = plan.wish
    runs = "\n".join(f"{n}. {_in_words(run, wish.zone)} · {ago(run)}" for n, run in enumerate(plan.runs, 1))
    missed = "A missed run is caught up once." if wish.catch_up else "A run that is missed by 10 minutes is left out."
    quiet = "" if asked.told else "\nNo channel for operations is set, so nobody is told how runs go: `/setup start`."
    return card(
        Colour.WARN,
        f"### Save {safe(wish.name)}?\n**{plan.cron.words}**, by the clock of {wish.zone}",
        _does(plan.action.name, plan.action.job_type.value, wish.text),
        fitting(list(filter(None, [f"On {_places(asked)}.", asked.left_out])), _ROOM),
        f"**Next {count(len(plan.runs), 'run')}**\n{runs}",
        f"-# {missed}{quiet}",
        row(
            Button("Save", "confirm.press", (asked.token,), discord.ButtonStyle.success),
            Button("Never mind", "confirm.dismiss", (asked.token,)),
        ),
        "-# For you only, for 2 minutes.",
    )


def _places(asked: Preview) -> str:
    names = [safe(server.name) for server in asked.plan.servers]
    if not asked.plan.wish.tag:
        return f"**{names[0]}**"
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"every server with the tag **{safe(asked.plan.wish.tag)}**, which is now {listed}"


def _does(action: str, job_type: str, text: str) -> str:
    match job_type:
        case "ANNOUNCE":
            return f"Announces:\n> {safe(text, 520)}"
        case "CONSOLE_COMMAND":
            return f"Sends to the console:\n{block(text, 520)}"
        case _:
            return f"{action.capitalize()}s; the game saves first where it can."


def _in_words(run: datetime, zone_name: str) -> str:
    """A run on the clock of its zone, and on the reader's own."""
    return f"{run.astimezone(_zone(zone_name)):%a %d %b %Y, %H:%M} ({at(run)})"


def line(schedule: ScheduleCard, *, unbacked: bool = False) -> str:
    """One row of the list, on two lines, of which ten have room. `unbacked`: its author may not do any more what it
    does."""
    action = OF_JOB_TYPE.get(schedule.job_type)
    without = f" without {count(schedule.left_out, 'server')}" if schedule.left_out else ""
    where = f"tag {safe(schedule.tag)}{without}" if schedule.tag else safe(schedule.server_name or "", 32)
    head = f"**{safe(schedule.name, 44)}** · {action.name if action else safe(schedule.job_type)} · {where}"
    who = f"by {safe(schedule.author, 24)}" if schedule.author else "its author is gone"
    lost = " · its author may no longer do this; it runs on" if unbacked else ""
    return f"{head} · {_state(schedule)}\n-# {_when(schedule)} · {_last(schedule)} · {who}{lost}"


def _state(schedule: ScheduleCard) -> str:
    if schedule.server_gone:
        return "**disabled: its server was removed**"
    if not schedule.enabled:
        never = schedule.last_run_status == "scheduler_failed"
        return "**switched off: it cannot be done any more**" if never else "**paused**"
    if schedule.paused_until and schedule.next_run_at and schedule.next_run_at < schedule.paused_until:
        return f"**paused** until {at(schedule.paused_until)}"
    skips = f", **skips {count(schedule.skip_next, 'run')}**" if schedule.skip_next else ""
    return f"next {ago(schedule.next_run_at)}{skips}"


def _when(schedule: ScheduleCard) -> str:
    try:
        words = checked(schedule.expression).words
    except ValueError:
        words = ""
    shown = words if 0 < len(words) <= _LONGEST_WORDS else safe(schedule.expression, _LONGEST_WORDS)
    return f"{shown}, {safe(schedule.zone, 32)}"


def _last(schedule: ScheduleCard) -> str:
    if schedule.last_run_status is None:
        return "never ran"
    words = _RESULTS.get(schedule.last_run_status, schedule.last_run_status)
    job = f" `{job_number(schedule.last_job)}`" if schedule.last_job and schedule.last_run_status in _WITH_JOB else ""
    again = f", {schedule.consecutive_failures} times in a row" if schedule.consecutive_failures > 1 else ""
    return f"last {words}{again}{job} {ago(schedule.last_run_at)}"


_WITH_JOB: Final = frozenset({"enqueued", "success", "failed"})


def _zone(name: str) -> tzinfo:
    try:
        return zone(name)
    except ValueError:
        return UTC


def short(schedule: ScheduleCard) -> str:
    """For autocompletes: `nightly · restart · EU #1`."""
    action = OF_JOB_TYPE.get(schedule.job_type)
    parts = (schedule.name, action.name if action else schedule.job_type, schedule.tag or schedule.server_name or "")
    return " · ".join(filter(None, parts))[:100]


def times(typed: str) -> list[tuple[str, str]]:
    """For autocompletes: what was understood of the text so far and its value, then usual texts like it."""
    words = typed.strip()
    usual = [(example, example) for example in EXAMPLES if words.lower() in example and example != words]
    if not words or len(words) > _LONGEST_CHOICE:
        return usual
    try:
        understood = parse(words).words
    except ValueError as error:
        understood = str(error)
    return [(f"{words} → {understood}"[:100], words), *usual]
