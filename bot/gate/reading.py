"""Reads interactions: who sent them, what was entered, and what of it the audit log may keep."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import discord
from discord import app_commands

from bot.domain.actors import Caller
from bot.domain.redaction import without_secrets
from bot.domain.words import storable

_SECRET: Final = re.compile("token|password|secret|key", re.IGNORECASE)
_IN_ADDRESS: Final = re.compile(r"(?<=//)[^/?#\\]*(?=@)|[?#].*", re.DOTALL)
"""What may let somebody in: the name and password in an address, and the signature behind it."""

_BUTTON: Final = 2
_STRINGS: Final = 3
_USERS, _ROLES, _CHANNELS, _FILES = ["users"], ["roles"], ["channels"], ["attachments"]
_SELECTS: Final[Mapping[int, Sequence[str]]] = {5: _USERS, 6: _ROLES, 7: [*_USERS, *_ROLES], 8: _CHANNELS}
"""Kinds of selects whose values Discord looks up in the guild, and where it puts what it found."""
_LOOKED_UP: Final[Mapping[int, Sequence[str]]] = {6: _USERS, 7: _CHANNELS, 8: _ROLES, 9: [*_USERS, *_ROLES], 11: _FILES}
"""The same for kinds of options."""

Data = Mapping[str, Any]


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
    return {_plain(name): _kept(name, value) for name, value in options.items() if value is not None}


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
    return without_secrets(storable(str(getattr(value, "id", value))))


def filled(interaction: discord.Interaction[Any]) -> dict[str, list[str]]:
    """The options of a command that has not been sent yet, by name."""
    return {option["name"]: [storable(str(option["value"]))] for option in _options(interaction) if "value" in option}


def _options(interaction: discord.Interaction[Any]) -> Iterator[Data]:
    """The options of a command, whatever groups it stands in."""
    waiting = cast("list[dict[str, Any]]", (interaction.data or {}).get("options", []))
    while waiting:
        option = waiting.pop()
        waiting = [*waiting, *option.get("options", ())]
        yield option


def as_declared(interaction: discord.Interaction[Any]) -> bool:
    """Whether a command was given with the options that it declares, each with what Discord offers for it."""
    if not isinstance(interaction.command, app_commands.Command):
        return True
    declared = {option.display_name: option for option in interaction.command.parameters}
    given = {option["name"]: option["value"] for option in _options(interaction) if "value" in option}
    looked_up = cast("Data", interaction.data or {})
    return given.keys() <= declared.keys() and all(
        _fits(option, given[name], looked_up) if name in given else not option.required
        for name, option in declared.items()
    )


def _fits(option: app_commands.Parameter, value: Any, data: Data) -> bool:
    if option.choices:
        return value in [choice.value for choice in option.choices]
    if option.type.value in _LOOKED_UP:
        return str(value) in _looked_up(_LOOKED_UP[option.type.value], data)
    if option.type in (discord.AppCommandOptionType.integer, discord.AppCommandOptionType.number):
        lowest, highest = option.min_value, option.max_value
        return (lowest is None or value >= lowest) and (highest is None or value <= highest)
    return True


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


def as_shown(interaction: discord.Interaction[Any], fields: Sequence[str] | None) -> bool:
    """Whether a component or a form was used as it is shown: a client can send any custom_id and any value. `fields`:
    the entries of the form that the route declares; None: it belongs to a component."""
    data = cast("dict[str, Any]", interaction.data)
    if interaction.type is discord.InteractionType.modal_submit:
        return fields is not None and consistent(data, fields)
    return fields is None and _offered(interaction, data)


def _offered(interaction: discord.Interaction[Any], data: Data) -> bool:
    """The message carries the component, as this kind, and the values are some of its options, or were looked up in the
    guild."""
    parts = _parts(part.to_dict() for part in (interaction.message.components if interaction.message else ()))
    used = next((part for part in parts if part.get("custom_id") == data["custom_id"]), None)
    if used is None or used["type"] != data.get("component_type") or used.get("disabled"):
        return False
    values = data.get("values", [])
    if used["type"] == _BUTTON:
        return not values
    if used["type"] == _STRINGS:
        known = {option["value"] for option in used.get("options", ())}
    else:
        known = _looked_up(_SELECTS.get(used["type"], ()), data)
    return set(values) <= known and used.get("min_values", 1) <= len(values) <= used.get("max_values", 1)


def consistent(data: Data, fields: Sequence[str]) -> bool:
    """Whether a submitted form has exactly these entries, and what was picked in its selects was looked up in the
    guild. A name that ends with `*` stands for any number of entries that begin with it."""
    parts = [part for part in _parts(data["components"]) if "custom_id" in part]
    selects = [(set(part.get("values") or ()), _SELECTS[part["type"]]) for part in parts if part["type"] in _SELECTS]
    if not all(chosen <= _looked_up(places, data) for chosen, places in selects):
        return False
    names = {part["custom_id"] for part in parts}
    wanted = {field for field in fields if not field.endswith("*")}
    beginnings = tuple(field[:-1] for field in fields if field.endswith("*"))
    return wanted <= names and all(name.startswith(beginnings) for name in names - wanted)


def _looked_up(places: Iterable[str], data: Data) -> set[str]:
    found = data.get("resolved", {})
    return {value for place in places for value in found.get(place, {})}


def _parts(components: Iterable[Any]) -> Iterator[Data]:
    """Components of a message or a form, whatever their nesting."""
    for part in components:
        yield part
        yield from _parts(part.get("components", ()))
        yield from _parts(part[name] for name in ("accessory", "component") if part.get(name))


def picked(data: Mapping[str, Any]) -> list[str]:
    """What was chosen in a select."""
    return [storable(str(value)) for value in data.get("values", [])]
