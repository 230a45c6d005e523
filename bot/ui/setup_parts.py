"""What several steps of `/setup start` are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import discord

from bot.domain.words import joined, safe

if TYPE_CHECKING:
    from bot.services.setup_wizard import Page

Parts = list[str | discord.ui.Item[discord.ui.LayoutView]]
"""Texts and rows of a card."""


def lacking(page: Page) -> str:
    """In place of a step's controls, for who may not use them."""
    able = joined([safe(role) for role in page.roles_with], 200)
    remedy = f"Roles that have it here: {able}." if able else "The owner of this Discord server can do it."
    return f"You need the permission `{page.lacking}` for this step. {remedy}\nIt can be left to somebody who has it."
