"""The step of `/setup start` in which messages get their channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import discord
from discord import ui

from bot.domain.words import safe
from bot.ui.cards import Button, row
from bot.ui.ids import custom_id
from bot.ui.setup_parts import Parts

if TYPE_CHECKING:
    from bot.services.setup_wizard import Page

PURPOSES: Final = {
    "ops": "**Operations** · progress of restarts, kicks and every other job",
    "alerts": "**Alerts** · what is wrong with hosts and servers, until it is over",
    "bans": "**Bans** · who was banned and why, for everybody to read",
    "audit": "**Audit** · who did what, and what went wrong with the bot itself",
    "players": "**Players** · what players should see",
}


def parts(page: Page) -> Parts:
    """A menu for each purpose, and a button for each that has no channel."""
    shown: Parts = []
    for purpose, words in PURPOSES.items():
        lost = page.disabled.get(purpose)
        shown.append(words + (f"\n⚠ switched off: {safe(lost, 100)}" if lost else ""))
        shown.append(ui.ActionRow(_menu(purpose, page.channels.get(purpose))))
    missing = [purpose for purpose in PURPOSES if purpose not in page.channels]
    if missing:
        shown.append("Or let me create it for you; staff channels are seen by your staff roles only.")
        shown.append(row(*(Button(f"Create #{purpose}", "setup.make", (purpose,)) for purpose in missing)))
    return shown


def _menu(purpose: str, chosen: int | None) -> ui.ChannelSelect[ui.LayoutView]:
    default = [discord.SelectDefaultValue(id=chosen, type=discord.SelectDefaultValueType.channel)] if chosen else []
    return ui.ChannelSelect(
        custom_id=custom_id("setup.channel", purpose),
        placeholder="Choose a channel",
        channel_types=[discord.ChannelType.text],
        min_values=0,
        default_values=default,
    )
