"""What people see of what is kept about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.words import count, joined, safe
from bot.ui.cards import MAX_TEXT, Button, Colour, card, fitting, row
from bot.ui.forms import Field, modal
from bot.ui.ids import Short

if TYPE_CHECKING:
    from bot.services.attachments import Attachment
    from bot.services.privacy import Forgotten, Plan
    from db.queries.privacy import Footprint

_NAMES: Final = 40
_HELD: Final = 300
_ORGS: Final = 1_600
"""Characters for the list of communities."""
_STAYS: Final = (
    "**What stays, and why**",
    "- Entries of the audit logs about what you did, with your Discord id: a log from which people can take themselves "
    "away proves nothing. {days}",
    "- Bans of your players: they protect others. They no longer lead to you.",
    "- Players as games saw them: names, ids and when they played. They no longer lead to you.",
    "- What you made, such as schedules, bans and jobs: it is somebody's who was deleted.",
    "- What the bot has said in Discord, and its copy of that for 30 days.",
    "- In Discord itself: your roles, and whose server it is.",
)


def export_card(file: Attachment, *, everywhere: bool) -> ui.LayoutView:
    """The file with one's own data."""
    where = (
        "In every community." if everywhere else "In this community; in a direct message with the bot: in every one."
    )
    parts = (
        f"{where} JSON, as programs read it.",
        "-# Addresses that you played from are kept for 30 days and left out here: who a player is, is staff's word.",
    )
    return card(Colour.GOOD, "### What is kept about you", "\n".join(parts), ui.File(f"attachment://{file.name}"))


def plan_card(plan: Plan) -> ui.LayoutView:
    """What would go, what would stay, and the button."""
    goes = [
        "**What goes, in every community at once**",
        f"- Your account here: the name {safe(plan.username, _NAMES)}, your Discord id, what you chose to be told",
        *(f"- {_org(org)}" for org in plan.orgs),
    ]
    days = sorted({org.audit_days for org in plan.orgs})
    kept = (
        "They go after " + (f"{days[0]} days." if len(days) == 1 else f"{days[0]} to {days[-1]} days.") if days else ""
    )
    stays = [line.format(days=kept).rstrip() if "{days}" in line else line for line in _STAYS]
    stays += _held_back(plan.orgs)
    asked = Short(int(plan.asked_at.timestamp()))
    return card(
        Colour.WARN,
        "### Forget you?",
        fitting(goes, _ORGS + 300),
        "\n".join(stays),
        row(Button("Forget me", "my.forget", (asked,), discord.ButtonStyle.danger)),
        "-# This cannot be undone. The button works for 2 minutes; whoever uses the bot again is somebody new to it.",
    )


def _org(org: Footprint) -> str:
    things = [
        f"your role {safe(org.role, _NAMES)}" if org.role else "",
        count(org.exceptions, "exception") if org.exceptions else "",
        f"the link to {joined([safe(name, _NAMES) for name in org.players], 120)}" if org.players else "",
        count(org.questions, "question to confirm", "questions to confirm") if org.questions else "",
    ]
    return f"{safe(org.name, _NAMES)}: {', '.join(filter(None, things)) or 'that you were there'}"


def _held_back(orgs: list[Footprint]) -> list[str]:
    """Forgetting would be a way out of it."""
    held = [
        f"{safe(org.name, _NAMES)} ({' and '.join(filter(None, (_denials(org), _server_roles(org))))})"
        for org in orgs
        if org.denials or org.server_roles
    ]
    if not held:
        return []
    return [
        f"- What holds you back, and your Discord id with it: {joined(held, _HELD)}. Else forgetting would lift it; "
        "`/access clear` there does."
    ]


def _denials(org: Footprint) -> str:
    return count(org.denials, "denial") if org.denials else ""


def _server_roles(org: Footprint) -> str:
    return count(org.server_roles, "role on a server", "roles on servers") if org.server_roles else ""


def forget_form(asked: int, words: str) -> ui.Modal:
    """Asks for the words."""
    typed = Field("words", "Words", f"Type: {words}", 40, placeholder=words)
    return modal("Type the words to confirm", "my.forgotten", (Short(asked),), typed)


def forgotten_card(done: Forgotten) -> ui.LayoutView:
    """It is done."""
    lines = [f"- {_org(org)}" for org in done.orgs]
    left = joined([safe(name, _NAMES) for name in done.left], 300)
    alone = f"Nobody but the owner and Discord's administrators can change rights in {left} now." if left else ""
    text = "\n".join(filter(None, [alone, fitting(lines, MAX_TEXT - 600)]))
    return card(Colour.GOOD, "**You are forgotten.**", text)
