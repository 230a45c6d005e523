"""Seals of the audit log as people see them."""

from __future__ import annotations

from typing import Any

import discord

from bot.ui.cards import Colour, card
from bot.ui.texts import count


def posted_card(payload: dict[str, Any], mark: int) -> discord.ui.LayoutView:
    """The message that keeps a seal outside the database. It is never edited."""
    first, last = int(payload["first"]), int(payload["last"])
    name = f"Seal {last}" if first == last else f"Seals {first} to {last}"
    rows = f"{count(int(payload['rows']), 'audit entry', 'audit entries')}, up to `{int(payload['entry'])}`"
    hint = "-# `/audit verify` checks the audit log against it. Do not delete this message."
    return card(Colour.IDLE, f"**{name}** · {rows}\n`{bytes.fromhex(payload['hash']).hex()}`\n{hint}", mark=mark)
