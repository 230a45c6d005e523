"""Macros as people see them: what a new one will do, its form, and the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord
from discord import ui

from bot.domain.actions import OF_JOB_TYPE
from bot.domain.jobs import JOBS, JobType
from bot.domain.macros import Param
from bot.domain.words import joined, safe
from bot.ui.cards import Button, Colour, card, notice, row
from bot.ui.forms import Field, modal
from bot.ui.texts import block

if TYPE_CHECKING:
    from bot.services.macros import Draft, Ran
    from bot.services.macros_adding import Preview
    from db.queries.macros import MacroCard


def preview(asked: Preview) -> discord.ui.LayoutView:
    """What was understood, what will be asked for, and the Save button."""
    plan = asked.plan
    permission = JOBS[plan.action.job_type].permission
    where = f"**{safe(plan.server.name)}**" if plan.server else "every server that can do it"
    asks = "\n".join(f"**{safe(param.label)}**: {safe(param.words, 300)}" for param in plan.template.params)
    return card(
        Colour.WARN,
        f"### Save {safe(plan.wish.name)}?\n{safe(plan.wish.description)}".rstrip(),
        f"{_does(plan.action.job_type, plan.template.text)}\nOn {where}.",
        f"**It asks for**\n{asks}" if asks else "It asks for nothing.",
        f"-# Who has `macros.run` may run it, also without `{permission}`.",
        row(
            Button("Save", "confirm.press", (asked.token,), discord.ButtonStyle.success),
            Button("Never mind", "confirm.dismiss", (asked.token,)),
        ),
        "-# For you only, for 2 minutes.",
    )


def _does(job_type: str, text: str) -> str:
    if job_type == "ANNOUNCE":
        return f"Announces:\n> {safe(text, 520)}"
    return f"Sends to the console:\n{block(text, 520)}"


def form(draft: Draft) -> ui.Modal:
    """A field for each parameter."""
    title = f"{draft.macro.name} on {draft.server.name}"
    fields = (
        Field(f"param.{param.name}", param.label, _hint(param), param.high if param.kind == "text" else 40)
        for param in draft.params
    )
    return modal(title, "macro.filled", (draft.macro.id, draft.server.id), *fields)


def _hint(param: Param) -> str:
    words = param.words
    return words[:1].upper() + words[1:]


def ran(done: Ran) -> discord.ui.LayoutView:
    """What was sent, and where it can be followed."""
    return notice(f"{safe(done.macro)} · {safe(done.server)}", f"{_does(done.job_type, done.text)}\n{done.where}")


def line(macro: MacroCard) -> str:
    """One row of the list, on two lines."""
    where = "all servers" if macro.server_id is None else safe(macro.server_name or "", 32)
    gone = " · **its server was removed**" if macro.server_gone else ""
    asks = joined([safe(Param.load(param).label, 32) for param in macro.params]) or "nothing"
    who = f"by {safe(macro.author, 24)}" if macro.author else "its author is gone"
    said = f" · {safe(macro.description, 60)}" if macro.description else ""
    head = f"**{safe(macro.name)}** · {_action(macro)} · {where}{gone}{said}"
    return f"{head}\n-# {safe(macro.text, 80)} · asks for {asks} · {who}"


def short(macro: MacroCard) -> str:
    """For autocompletes: `prize · announce · EU #1 · Says who won`."""
    parts = (macro.name, _action(macro), macro.server_name or "", macro.description)
    return " · ".join(filter(None, parts))[:100]


def _action(macro: MacroCard) -> str:
    known = macro.job_type in JobType.__members__ and macro.job_type in OF_JOB_TYPE
    return OF_JOB_TYPE[macro.job_type].name if known else safe(macro.job_type)
