"""Autocompletes of holds and maintenance windows."""

from discord import app_commands

from bot.gate import Call, suggest

_LENGTHS = ("30m", "1h", "2h", "4h", "1d", "until tomorrow 8:00", "until friday 18:00")


@suggest
async def duration(call: Call, current: str) -> list[app_commands.Choice[str]]:
    """How long something may take; the typed text first."""
    texts = [current[:100], *_LENGTHS] if current and current not in _LENGTHS else _LENGTHS
    return [app_commands.Choice(name=text, value=text) for text in texts]
