"""Autocompletes of /access: roles, and permissions by name or by what they are for."""

from discord import app_commands

from bot.domain.permissions import PERMISSIONS
from bot.gate import Call, suggest
from bot.ui import access_roles

Choices = list[app_commands.Choice[str]]


@suggest
async def role(call: Call, current: str) -> Choices:
    """Roles of the org, the highest first; the value is the id."""
    found = await call.services.access_roles.suggest(call.actor, current)
    return [app_commands.Choice(name=access_roles.short(role), value=str(role.id)) for role in found]


@suggest
async def permission(call: Call, current: str) -> Choices:
    """Those whose name or description has the words; the beginning of a name first."""
    words = current.strip().lower()
    named = [name for name in PERMISSIONS if words in name]
    described = [name for name, what in PERMISSIONS.items() if words in what.lower() and name not in named]
    found = sorted(named, key=lambda name: not name.startswith(words)) + described
    return [app_commands.Choice(name=f"{name} · {PERMISSIONS[name]}"[:100], value=name) for name in found]
