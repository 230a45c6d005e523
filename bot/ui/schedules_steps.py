"""The steps of a schedule and its runs in words, and the form and menus by which steps come and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import discord
from discord import ui

from bot.domain.actions import ACTIONS, Action
from bot.domain.schedules_steps import MOST, Step, when
from bot.domain.schedules_times import Timetable
from bot.domain.words import safe
from bot.ui.forms import Field, modal
from bot.ui.ids import custom_id
from bot.ui.texts import ago, at, block

_TEXT: Final = 512
_SHORT: Final = 120
_CHANGES: Final = {
    "skipped": "its time is skipped that day, so it runs by the clock as it was",
    "doubled": "this time comes twice that day",
}


def steps_words(steps: Sequence[Step]) -> str:
    """What a schedule does: alone in full, several as a list with when each is done."""
    if len(steps) == 1:
        return _alone(steps[0])
    return "\n".join(f"{n}. {_one(step)}" for n, step in enumerate(steps, 1))


def _alone(step: Step) -> str:
    match step.action:
        case "announce":
            return f"Announces:\n> {safe(step.text, 520)}"
        case "console":
            return f"Sends to the console:\n{block(step.text, 520)}"
        case _:
            return _does(step.does) + "."


def _does(action: Action) -> str:
    if action.name == "backup":
        return "Makes a backup; the game saves first where it can"
    saves = "; the game saves first where it can" if action.name in ("restart", "stop") else ""
    return f"{action.name.capitalize()}s{saves}"


def _one(step: Step) -> str:
    text = f": {safe(step.text, _SHORT)}" if step.text else ""
    after = " · goes on if it fails" if step.goes_on else ""
    return f"**{step.action}**{text} · {when(step.offset)}{after}"


def runs_words(runs: Sequence[datetime], times: Timetable) -> list[str]:
    """The times of runs on the clock of their zone, and on the reader's own."""
    return [f"{n}. {_run(times.time_of(run), times)}" for n, run in enumerate(runs, 1)]


def _run(run: datetime, times: Timetable) -> str:
    change = _CHANGES.get(times.cron.change_at(run, times.zone))
    noted = f"\n-# The clocks change: {change}." if change else ""
    return f"{run.astimezone(times.zone):%a %d %b %Y, %H:%M} ({at(run)}) · {ago(run)}{noted}"


def menus(token: UUID, steps: Sequence[Step]) -> list[ui.Item[ui.LayoutView]]:
    """Adds a step to what is about to be saved, or takes one out."""
    found: list[ui.Item[ui.LayoutView]] = []
    if len(steps) < MOST:
        actions = [discord.SelectOption(label=action.capitalize(), value=action) for action in ACTIONS]
        found.append(_menu("schedule.step", token, "Add a step…", actions))
    if len(steps) > 1:
        known = [
            discord.SelectOption(label=f"{n}. {step.action} · {when(step.offset)}"[:100], value=str(n))
            for n, step in enumerate(steps, 1)
        ]
        found.append(_menu("schedule.unstep", token, "Take a step out…", known))
    return found


def _menu(route: str, token: UUID, words: str, options: list[discord.SelectOption]) -> ui.ActionRow[ui.LayoutView]:
    menu: ui.Select[ui.LayoutView] = ui.Select(custom_id=custom_id(route, token), placeholder=words, options=options)
    return ui.ActionRow(menu)


def form(token: UUID, action: Action) -> ui.Modal:
    """When a step is done, what it says, and what its failure means."""
    fails = "go on" if action.name == "announce" else "stop"
    places = "5 minutes before, right before, 10 minutes after; empty: last"
    return modal(
        f"A step: {action.name}",
        "schedule.stepped",
        (token, action.name),
        Field("place", "When", places, _TEXT, required=False),
        *([Field("text", action.text, "On one line", _TEXT)] if action.text else []),
        Field("failure", "If it fails", "stop, or go on with what follows", _TEXT, fails, required=False),
    )
