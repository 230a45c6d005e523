"""Plans of power actions as people follow them: when, what players hear, how it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.power import told_before
from bot.domain.words import safe
from bot.ui.cards import Button, Colour, card, row
from bot.ui.forms import Field, modal
from bot.ui.texts import ago, at, job_number, span

if TYPE_CHECKING:
    from uuid import UUID

    from db.queries.power import PlanCard

_STATES: Final = {
    "planned": (Colour.BUSY, "planned"),
    "running": (Colour.BUSY, "under way"),
    "done": (Colour.GOOD, "done"),
    "cancelled": (Colour.IDLE, "cancelled"),
    "expired": (Colour.WARN, "given up"),
}
_LIVE: Final = ("planned", "running")
_USUAL: Final = "15 min"


def plan_card(plan: PlanCard, mark: int | None = None) -> discord.ui.LayoutView:
    """The message of a plan, from its making to its end."""
    colour, words = (Colour.BAD, "failed") if plan.job_status == "failed" else _STATES[plan.status]
    who = f" · by {safe(plan.author)}" if plan.author else ""
    number = f" · `{job_number(plan.number)}`" if plan.number else ""
    head = (
        f"### {plan.action.capitalize()} · {safe(plan.server_name)}\n**{words}**{who} · {ago(plan.created_at)}{number}"
    )
    reason = f"Reason: {safe(plan.reason, 300)}" if plan.reason else ""
    return card(colour, head, "\n".join(filter(None, [_how_it_stands(plan), reason])), *_buttons(plan), mark=mark)


def _how_it_stands(plan: PlanCard) -> str:
    match plan.status:
        case "planned":
            return _at(plan) if plan.due_at else _when_empty(plan)
        case "running":
            return "Its own message shows each step."
        case "done" if plan.job_status != "failed":
            took = span(timedelta(milliseconds=plan.duration_ms)) if plan.duration_ms is not None else ""
            return f"Done {ago(plan.ended_at)}." + (f" It took {took}." if took else "")
        case _:
            why = safe(plan.outcome or "", 400)
            by = f"By {safe(plan.ended_by)}" if plan.ended_by else ""
            return " · ".join(filter(None, [f"{why[:1].upper()}{why[1:]}", by, ago(plan.ended_at)]))


def _at(plan: PlanCard) -> str:
    if plan.due_at is None:
        return ""
    when = f"**{ago(plan.due_at)}** ({at(plan.due_at)})"
    if not plan.says:
        return f"{when}\nThis game cannot tell its players."
    minutes = told_before(plan.action, plan.due_at, plan.warn_minutes, plan.created_at)
    return f"{when}\nPlayers are told {minutes} before." if minutes else when


def _when_empty(plan: PlanCard) -> str:
    until = f"\nGives up {ago(plan.give_up_at)} ({at(plan.give_up_at)})." if plan.give_up_at else ""
    return f"As soon as nobody is on.{until}"


def _buttons(plan: PlanCard) -> list[discord.ui.Item[discord.ui.LayoutView]]:
    if plan.status == "planned":
        return [row(Button("Postpone", "power.postpone", (plan.id,)), Button("Cancel", "power.cancel", (plan.id,)))]
    buttons = [Button("Details", "job.open", (plan.number,))] if plan.number else []
    if plan.status not in _LIVE:
        buttons.append(Button("Server", "server.open", (plan.server_id,)))
    return [row(*buttons)] if buttons else []


def postpone_form(plan_id: UUID) -> ui.Modal:
    """Asks by how much a plan is moved."""
    duration = Field("duration", "By how much", "Such as 15 min or 1h 30m", 40, default=_USUAL)
    return modal("Postpone", "power.postponed", (plan_id,), duration)
