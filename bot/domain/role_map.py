"""Which Discord roles are likely to be whose: a proposal from what Discord lets them do. Somebody has to confirm it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

STAFF: Final = ("admin", "operator", "moderator", "viewer")
"""The presets that Discord roles are asked for, the highest first."""

MOST: Final = 25
"""Roles that one select menu of Discord can hold."""

#: preset -> any of these rights makes a role likely to be meant. The first preset that fits is proposed.
_RIGHTS: Final = {
    "admin": frozenset({"administrator", "manage_guild"}),
    "operator": frozenset({"manage_channels", "manage_webhooks"}),
    "moderator": frozenset({"ban_members", "kick_members", "moderate_members"}),
    "viewer": frozenset({"view_audit_log", "manage_messages"}),
}
TELLING: Final = frozenset(right for rights in _RIGHTS.values() for right in rights)
"""The rights that are looked at, by the names of discord.py."""


@dataclass(frozen=True)
class Role:
    """A role of a guild, as far as the role map asks."""

    id: int
    name: str
    rights: frozenset[str] = frozenset()
    """Those of `TELLING` that it has."""
    managed: bool = False
    """It belongs to a bot or to Discord itself, and nobody can be given it."""
    everyone: bool = False


def suggested(roles: Iterable[Role], bound: Mapping[str, Collection[int]]) -> dict[str, list[int]]:
    """Preset -> roles that are likely to be meant, for presets that no role is bound to yet.

    Args:
        roles: all roles of the guild.
        bound: preset -> roles that are bound to it already; such a role is proposed for nothing else.
    """
    taken = {role for held in bound.values() for role in held}
    found: dict[str, list[int]] = {}
    for role in roles:
        preset = next((preset for preset, rights in _RIGHTS.items() if rights & role.rights), None)
        free = not (role.managed or role.everyone or role.id in taken)
        if preset and free and not bound.get(preset):
            found.setdefault(preset, []).append(role.id)
    return {preset: sorted(found[preset])[:MOST] for preset in STAFF if preset in found}


def digest(proposal: Mapping[str, Collection[int]]) -> str:
    """A short name of a proposal: what is confirmed is what was shown."""
    plain = ";".join(f"{preset}={','.join(map(str, sorted(proposal[preset])))}" for preset in sorted(proposal))
    return sha256(plain.encode()).hexdigest()[:16]
