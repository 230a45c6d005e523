"""Autocompletes that several commands share. Answered from our own index, never by asking an agent."""

from discord import app_commands

from bot.gate import Call, suggest
from bot.ui import servers

Choices = list[app_commands.Choice[str]]


@suggest
async def server(call: Call, current: str) -> Choices:
    """Servers by name; the value is the id."""
    found = await call.services.servers.suggest(call.actor, current)
    return [app_commands.Choice(name=servers.short(card), value=str(card.id)) for card in found]


@suggest
async def when(call: Call, current: str) -> Choices:
    """What `when` understands; the typed text first."""
    usual = ["now", "in 5 minutes", "in 15 minutes", "in 30 minutes"]
    shown = [text for text in usual if current.lower() in text]
    return [app_commands.Choice(name=text, value=text) for text in dict.fromkeys([*([current] if current else []), *shown])]
