"""What `/help` shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import discord

from bot.ui.cards import Colour, card, fitting


@dataclass(frozen=True)
class Entry:
    """One command: `server restart`, what it does, and the permission that it needs."""

    command: str
    description: str
    permission: str
    hidden_without: int = 0
    """Discord permissions (bits) without which its picker does not show the command."""


@dataclass(frozen=True)
class Topic:
    """A top-level command with its sub-commands."""

    name: str
    entries: list[Entry]


def allowed(topics: Sequence[Topic], may: Callable[[str], bool], discord_permissions: int) -> list[Topic]:
    """Only what the reader may run: with our permission, and shown by Discord unless the guild has changed that."""

    def able(entry: Entry) -> bool:
        return (not entry.permission or may(entry.permission)) and not entry.hidden_without & ~discord_permissions

    found = [Topic(topic.name, [entry for entry in topic.entries if able(entry)]) for topic in topics]
    return [topic for topic in found if topic.entries]


def help_card(topics: Sequence[Topic], chosen: str, mention: Callable[[str], str]) -> discord.ui.LayoutView:
    """All topics in short, or one with what each command does."""
    shown = [topic for topic in topics if topic.name == chosen] or list(topics)
    if len(shown) == 1:
        lines = [f"{mention(entry.command)} · {entry.description}" for entry in shown[0].entries]
    else:
        lines = [" ".join(mention(entry.command) for entry in topic.entries) for topic in shown]
    if not lines:
        return card(Colour.IDLE, "### Help", "There is nothing here that you may run. Ask an administrator for a role.")
    return card(Colour.BUSY, "### What you may do here", fitting(lines))
