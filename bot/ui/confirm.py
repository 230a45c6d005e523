"""How a question is put (the card with the verb on its button, the form that asks for a name), and what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import discord
from discord import ui

from bot.ui.cards import confirmation, notice
from bot.ui.forms import Field, modal

if TYPE_CHECKING:
    from bot.services.confirmations import Done, Question


def question(asked: Question) -> discord.ui.LayoutView:
    """C1 or C2."""
    return confirmation(
        asked.title,
        asked.effect,
        verb=asked.verb,
        token=asked.token,
        typed=bool(asked.typed),
        choices=[(choice.key, choice.label) for choice in asked.choices],
        choices_first=asked.choices_first,
    )


def done(what: Done) -> discord.ui.LayoutView:
    """What somebody wanted was done, after a question or without one."""
    return notice(what.title, what.text)


def typed_name(token: UUID, expected: str) -> ui.Modal:
    """The form of a C2 question."""
    name = Field("name", "Name", f"Type: {expected}", 128, placeholder=expected)
    return modal("Type the name to confirm", "confirm.typed", (token,), name)
