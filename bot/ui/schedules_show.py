"""The card of one schedule, and the form that changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

import discord
from discord import ui

from bot.domain.cron import checked
from bot.domain.schedules_steps import minutes_before
from bot.domain.words import count, joined, safe
from bot.ui.cards import Button, Colour, card, fitting, row
from bot.ui.forms import Field, modal
from bot.ui.schedules import last, rests, state
from bot.ui.schedules_preview import options
from bot.ui.schedules_steps import runs_words, steps_words
from bot.ui.texts import code

if TYPE_CHECKING:
    from bot.services.schedules_showing import Shown
    from bot.services.schedules_wishes import Wish
    from db.queries.schedules import ScheduleCard

_NAMES: Final = 300
_STEPS: Final = 1100
_WORDS: Final = 120
_REASON: Final = 250
_TEXT: Final = 512


def show(shown: Shown) -> discord.ui.LayoutView:
    """One schedule: what, where, when, how it went, and what can be done with it."""
    schedule, wish = shown.schedule, shown.wish
    does = fitting(steps_words(wish.chain).splitlines(), _STEPS) if wish else "What it does needs another version."
    runs = runs_words(shown.runs, shown.times) if shown.times else []
    return card(
        _colour(schedule),
        f"### {safe(schedule.name)}\n{state(schedule)}",
        does,
        f"On {_places(shown)}.\n" + "\n".join(safe(words, 120) + "." for words in shown.resting[:2]),
        f"**{_when(schedule)}**, by the clock of {safe(schedule.zone, 64)}",
        f"**Next {count(len(runs), 'run')}**\n" + "\n".join(runs) if runs else "",
        f"{last(schedule, room=_REASON).replace('last', 'Last run:', 1)}\n{_counts(schedule)}",
        f"-# {' '.join(options(wish))}" if wish else "",
        f"-# {_author(shown)}",
        *_buttons(shown),
    )


def _colour(schedule: ScheduleCard) -> Colour:
    if schedule.last_run_status in ("failed", "scheduler_failed"):
        return Colour.BAD
    return Colour.GOOD if schedule.enabled and not schedule.server_gone else Colour.IDLE


def _when(schedule: ScheduleCard) -> str:
    try:
        words = checked(schedule.expression).words
    except ValueError:
        words = "it never comes"
    return f"{safe(words, _WORDS)} ({code(schedule.expression)})"


def _places(shown: Shown) -> str:
    schedule = shown.schedule
    if not schedule.tag:
        return f"**{safe(schedule.server_name or '')}**" + (", which was removed" if schedule.server_gone else "")
    those = joined([safe(name) for name in shown.servers], _NAMES) if shown.servers else "no server"
    without = f"; {count(schedule.left_out, 'server')} with it left out" if schedule.left_out else ""
    return f"the tag **{safe(schedule.tag)}**, which is now on {those}{without}"


def _counts(schedule: ScheduleCard) -> str:
    words = [f"{count(schedule.run_count, 'run')} so far", f"{count(schedule.failure_count, 'failure')}"]
    if schedule.consecutive_failures:
        words.append(f"{schedule.consecutive_failures} in a row")
    return " · ".join(words)


def _author(shown: Shown) -> str:
    author = f"By {safe(shown.schedule.author)}" if shown.schedule.author else "Its author is gone"
    return author + (", who may no longer do this; it runs on." if shown.unbacked else ".")


def _buttons(shown: Shown) -> list[ui.Item[ui.LayoutView]]:
    if not shown.manages:
        return []
    schedule = shown.schedule
    args, gone, known = (schedule.id,), schedule.server_gone, shown.wish is not None
    runs = schedule.enabled and not gone
    return [
        row(
            Button("Run now", "schedule.run", args, discord.ButtonStyle.primary, disabled=gone or not known),
            Button("Skip next", "schedule.skip", args, disabled=not runs),
            Button("Pause", "schedule.pause", args, disabled=gone)
            if runs and not rests(schedule)
            else Button("Resume", "schedule.resume", args, disabled=gone or not known),
            Button("Edit", "schedule.edit", args, disabled=gone or not known),
            Button("Remove", "schedule.remove", args, discord.ButtonStyle.danger),
        )
    ]


def form(wish: Wish) -> ui.Modal:
    """Asks for what is changed most often."""
    texts = [step.text for step in wish.chain if step.text and not step.is_warning]
    text = texts[0] if len(texts) == 1 else ""
    fields = [
        ("when", "When", "Plain words, or cron", 200, wish.when),
        ("name", "Name", "What to call it", 64, wish.name),
        ("window", "Window", "Such as 02:00-06:00; none: at any time", 40, wish.window or "none"),
        ("warn", "Warn players", "Minutes before, such as 15, 5, 1; none: not at all", 40, _warns(wish)),
        *([("text", "Text", "What it says, on one line", _TEXT, text)] if text else []),
    ]
    args = (UUID(wish.edits),)
    return modal(f"Edit {wish.name}", "schedule.edited", args, *(Field(*field, required=False) for field in fields))


def _warns(wish: Wish) -> str:
    """The minutes before its time at which players are told."""
    return ", ".join(map(str, minutes_before(wish.chain))) or "none"
