"""Autocompletes of /fleet tag: lists of tags, completed word by word."""

from discord import app_commands

from bot.gate import Call, suggest

Choices = list[app_commands.Choice[str]]


@suggest
async def added(call: Call, current: str) -> Choices:
    """The list so far, completed by the tags of other servers."""
    return _shown(await call.services.fleet_tags.known(call.actor, current))


@suggest
async def removed(call: Call, current: str) -> Choices:
    """The list so far, completed by the tags that the server has."""
    return _shown(await call.services.fleet_tags.worn(call.actor, call.value("server"), current))


def _shown(lists: list[str]) -> Choices:
    return [app_commands.Choice(name=text, value=text) for text in lists if len(text) <= 100]
