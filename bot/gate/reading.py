"""Reads interactions: who sent them, what was entered, and what of it the audit log may keep."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import discord

from bot.domain.actors import Caller
from bot.domain.words import storable

_SECRET: Final = re.compile("token|password|secret|key", re.IGNORECASE)
_IN_ADDRESS: Final = re.compile(r"(?<=//)[^/?#\\]*(?=@)|[?#].*", re.DOTALL)
"""What may let somebody in: the name and password in an address, and the signature behind it."""


def caller(interaction: discord.Interaction[Any]) -> Caller:
    """What an interaction says about its sender."""
    user, guild = interaction.user, interaction.guild
    member = user if isinstance(user, discord.Member) else None
    owner = guild.owner_id if guild else None
    return Caller(
        user_id=user.id,
        username=user.name,
        display_name=user.display_name,
        guild_id=interaction.guild_id,
        guild_name=(guild.name if guild else None) or "",
        guild_owner_id=owner,
        channel_id=interaction.channel_id,
        role_ids=frozenset(role.id for role in member.roles) if member else frozenset(),
        discord_permissions=interaction.permissions.value,
        administrator=interaction.guild_id is not None and (interaction.permissions.administrator or owner == user.id),
    )


def redacted(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the audit log may keep them: no secrets, no endless texts, ids instead of objects."""
    return {name: _kept(name, value) for name, value in options.items() if value is not None}


def _kept(name: str, value: Any) -> Any:
    if _SECRET.search(name):
        return "…"
    plain = _plain(value)
    return _IN_ADDRESS.sub("…", plain) if name == "url" else plain


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(one) for one in cast("list[Any]", value)]
    return storable(str(getattr(value, "id", value)))[:512]


def filled(interaction: discord.Interaction[Any]) -> dict[str, list[str]]:
    """The options of a command that has not been sent yet, by name."""
    found: dict[str, list[str]] = {}
    waiting = cast("list[dict[str, Any]]", (interaction.data or {}).get("options", []))
    while waiting:
        option = waiting.pop()
        waiting = [*waiting, *option.get("options", ())]
        if "value" in option:
            found[option["name"]] = [storable(str(option["value"]))]
    return found


def entered(components: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The entries of a submitted form by custom_id, whatever their nesting."""
    found: dict[str, list[str]] = {}
    for component in components:
        nested = [*component.get("components", ()), *([component["component"]] if "component" in component else ())]
        found |= entered(nested)
        if "custom_id" in component:
            given = component.get("values") or [component.get("value") or ""]
            found[component["custom_id"]] = [storable(entry) for entry in given]
    return found
