"""Judges whether Discord has our commands, and whether it shows them to those who may use them."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from bot.domain.checks import Finding, Fix, Mend, Topic, broken, fine, note
from bot.domain.checks_discord import ADMINISTRATOR, Binding, GroupFact, GuildFacts, Overrides, RoleFact, unknown
from bot.domain.words import joined, safe

USE_COMMANDS: Final = 1 << 31


def commands(guild: GuildFacts, bindings: Sequence[Binding]) -> Iterator[Finding]:
    """Does Discord have our commands, and does it show them to those who may use them?"""
    if guild.registered is None:
        yield unknown(Topic.COMMANDS, "which commands it has")
    elif guild.registered:
        yield fine(Topic.COMMANDS, "those of this version")
    else:
        yield broken(
            Topic.COMMANDS,
            "Discord has other commands than this version.",
            "Register them again; it takes Discord up to a minute to show them.",
            Fix(Mend.COMMANDS, "Register again"),
        )
    if guild.overall is None:
        yield unknown(Topic.COMMANDS, "whom it shows them to")
        return
    hidden = list(_hidden(guild, guild.overall, bindings))
    yield from hidden or [fine(Topic.COMMANDS, "shown to those who may use them")]


_WHERE: Final = "Server Settings, Integrations, the bot's page: allow it there. Discord lets no bot change this."


def _hidden(guild: GuildFacts, overall: Overrides, bindings: Sequence[Binding]) -> Iterator[Finding]:
    nowhere = [group.name for group in guild.groups if _switched_off(group.overrides.everywhere, overall.everywhere)]
    if nowhere:
        words = joined([f"`/{name}`" for name in nowhere], 200)
        yield note(Topic.COMMANDS, f"{words}: switched off in all channels but those that say otherwise.", _WHERE)
    for role_id in dict.fromkeys(binding.discord_role_id for binding in bindings if binding.everywhere):
        role = guild.roles.get(role_id)
        if role is None:
            continue
        held = frozenset[str]().union(*(one.permissions for one in bindings if one.discord_role_id == role_id))
        if missed := [f"`/{group.name}`" for group in missed_by(guild, overall, role_id, held)]:
            who = f"**{safe(role.name, 60)}**" if role_id != guild.guild_id else "**everybody**"
            yield note(Topic.COMMANDS, f"Discord hides {joined(missed, 200)} from {who}, who may use it.", _WHERE)


def _switched_off(own: bool | None, overall: bool | None) -> bool:
    return own is False or (own is None and overall is False)


def missed_by(guild: GuildFacts, overall: Overrides, role_id: int, held: Collection[str]) -> list[GroupFact]:
    """Commands that a role should see, by its permissions `held`, and does not: those of which it may use most. Where
    Discord hides most of its commands from it, all of them; `/host` for the sake of `/host list` alone is none."""
    everyone = guild.roles.get(guild.guild_id, RoleFact("", 0)).permissions
    permissions = everyone | guild.roles[role_id].permissions
    able = [
        group for group in guild.groups if _share(group, held) and not (role_id == guild.guild_id and group.default)
    ]
    hidden = [group for group in able if not is_shown(group, overall, role_id, permissions, guild.guild_id)]
    return [group for group in hidden if len(hidden) * 2 > len(able) or _share(group, held) > 0.5]


def _share(group: GroupFact, held: Collection[str]) -> float:
    """How much of a command they may use who hold these permissions, 0 to 1. What everybody may is nobody's right."""
    named = [permission for permission in group.leaves.values() if permission]
    return sum(permission in held for permission in named) / len(named) if named else 0.0


def is_shown(group: GroupFact, overall: Overrides, role_id: int, permissions: int, guild_id: int) -> bool:
    """Would Discord show it to a member with @everyone and this role alone? What is set for the command counts before
    what is set for the bot; only the first makes up for missing permissions."""
    if permissions & ADMINISTRATOR:
        return True
    if not permissions & USE_COMMANDS:
        return False
    own = _set_for(group.overrides, role_id, guild_id)
    if own is not None:
        return own
    if _set_for(overall, role_id, guild_id) is False:
        return False
    return not group.default & ~permissions


def _set_for(overrides: Overrides, role_id: int, guild_id: int) -> bool | None:
    return overrides.roles.get(role_id, overrides.roles.get(guild_id))
