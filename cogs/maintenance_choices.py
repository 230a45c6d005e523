"""Autocompletes of holds and maintenance windows."""

from typing import Final

from discord import app_commands

from bot import clock
from bot.gate import Call, suggest
from bot.ui import maintenance
from cogs.choices import Choices

_LENGTHS: Final = ("30m", "1h", "2h", "4h", "1d", "until tomorrow 8:00", "until friday 18:00")


@suggest
async def duration(call: Call, current: str) -> Choices:
    """How long something may take; the typed text first."""
    texts = [current[:100], *_LENGTHS] if current and current not in _LENGTHS else _LENGTHS
    return [app_commands.Choice(name=text, value=text) for text in texts]


@suggest
async def target(call: Call, current: str) -> Choices:
    """Everything, hosts, tags and servers, with what is known of them."""
    found = await call.services.maintenance.suggest_targets(call.actor, current)
    return [app_commands.Choice(name=maintenance.suggested(one), value=one.value) for one in found]


@suggest
async def window(call: Call, current: str) -> Choices:
    """Maintenance under way and planned; the value is its id."""
    found = await call.services.maintenance.suggest(call.actor, current)
    return [app_commands.Choice(name=maintenance.short(one, clock.now()), value=str(one.id)) for one in found]
