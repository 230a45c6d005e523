"""What a new or changed schedule will do: before and after, the next runs, and the Save button."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import discord

from bot.domain.cron import checked
from bot.domain.schedules_steps import Step
from bot.domain.words import count, joined, safe
from bot.ui.cards import Button, Colour, card, fitting, row
from bot.ui.schedules_steps import menus, runs_words, steps_words
from bot.ui.texts import span

if TYPE_CHECKING:
    from bot.services.schedules_adding import Preview
    from bot.services.schedules_wishes import Wish

_ROOM: Final = 500
_STEPS: Final = 1100
_CHANGES: Final = 700


def preview(asked: Preview) -> discord.ui.LayoutView:
    """What was understood, the next runs, and the Save button."""
    plan = asked.plan
    wish = plan.wish
    quiet = "" if asked.told else "\nNo channel for operations is set, so nobody is told how runs go: `/setup start`."
    buttons = [
        Button("Save", "confirm.press", (asked.token,), discord.ButtonStyle.success),
        Button("Never mind", "confirm.dismiss", (asked.token,)),
    ]
    return card(
        Colour.WARN,
        f"### {'Change' if asked.before else 'Save'} {safe(wish.name)}?\n"
        f"**{plan.cron.words}**, by the clock of {wish.zone}",
        fitting(changes(asked).splitlines(), _CHANGES),
        fitting(steps_words(plan.steps).splitlines(), _STEPS),
        fitting(list(filter(None, [f"On {_places(asked)}.", asked.left_out])), _ROOM),
        f"**Next {count(len(plan.runs), 'run')}**\n" + "\n".join(runs_words(plan.runs, plan.times)),
        f"-# {' '.join(options(wish))}{quiet}",
        *menus(asked.token, plan.steps),
        row(*(buttons if asked.before != wish else buttons[1:])),
        "-# For you only, for 2 minutes.",
    )


def changes(asked: Preview) -> str:
    """What is different from now, a line each; empty for a new schedule."""
    if asked.before is None:
        return ""
    old, new = _facts(asked.before), _facts(asked.plan.wish)
    lines = [f"- {name}: {old[name]} → **{new[name]}**" for name in new if old[name] != new[name]]
    return "\n".join(lines) or "Nothing of it is changed yet."


def _facts(wish: Wish) -> dict[str, str]:
    steps = [Step(**step) for step in wish.steps]
    return {
        "Name": safe(wish.name),
        "When": checked(wish.when).words,
        "Clock": wish.zone,
        "Steps": ", ".join(f"{step.action}{f' “{safe(step.text, 60)}”' if step.text else ''}" for step in steps),
        "Times of the steps": ", ".join(str(step.offset // 60) for step in steps) + " min",
        "Window": wish.window or "none",
        "Only when online": _yes(wish.only_online),
        "Only when empty": _yes(wish.only_empty),
        "While something goes on": "waits" if wish.overlap == "queue" else "is left out",
        "Missed": "caught up once" if wish.catch_up else "left out",
        "Retries": f"{wish.retries} after {wish.backoff} s" if wish.retries else "none",
    }


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"


def options(wish: Wish) -> list[str]:
    """How it behaves, in sentences."""
    found = [f"Only from {wish.window.replace('-', ' to ')}."] if wish.window else []
    if wish.only_online:
        found.append("Only while the server is up.")
    if wish.only_empty:
        found.append("Only while nobody plays; if nobody knows, it is left out.")
    if wish.overlap == "queue":
        found.append("While something else goes on it waits, once.")
    if wish.retries:
        wait = span(timedelta(seconds=wish.backoff))
        found.append(f"What fails is tried again {count(wish.retries, 'time')}, first after {wait}.")
    missed = "A missed run is caught up once." if wish.catch_up else "A run that is missed by 10 minutes is left out."
    return [*found, missed]


def _places(asked: Preview) -> str:
    names = [safe(server.name) for server in asked.plan.servers]
    if not asked.plan.wish.tag:
        return f"**{names[0]}**"
    return f"every server with the tag **{safe(asked.plan.wish.tag)}**, which is now {joined(names, _ROOM - 150)}"
