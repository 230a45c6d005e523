"""How it is said through what, and where, somebody has a role."""

from datetime import datetime
from typing import Final

from bot.domain.words import safe

EVERYONE: Final = "@\u2060everyone"
"""Reaches nobody, and no line breaks behind its sign."""


def through(discord_role_id: int, *, everyone: bool) -> str:
    """A Discord role; it is shown by its name of now and pings nobody."""
    return EVERYONE if everyone else f"<@&{discord_role_id}>"


def place(server_name: str | None, tag: str | None = None) -> str:
    """To be put behind something; empty for the whole community."""
    if tag is not None:
        return f" with the tag {safe(tag)}"
    return f" on {safe(server_name, 40)}" if server_name else ""


def until(end: datetime | None) -> str:
    """To be put behind something that may end."""
    return f" until <t:{end.timestamp():.0f}:f>" if end else ""


def verdict(granted: bool) -> str:
    """What an exception says."""
    return "allowed" if granted else "denied"


def kept(what: str, end: datetime | None) -> str:
    """The same for the audit log, with the moment itself."""
    return f"{what} until {end.isoformat()}" if end else what
