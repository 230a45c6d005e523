"""Members and roles of the guild that were chosen as options, as services take them."""

import discord

from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Invalid, NotFound
from bot.services.access_bindings import DiscordRole
from bot.services.access_people import Person


def anybody(user: discord.User | discord.Member) -> Person:
    """Somebody who is in the guild, or has left it. Their Discord roles came with the interaction; what these let them
    do the guild says, and of its owner everything."""
    member = user if isinstance(user, discord.Member) else None
    return Person(
        discord_id=user.id,
        username=user.name,
        display_name=user.display_name,
        role_ids=frozenset(role.id for role in member.roles) if member else frozenset(),
        break_glass=member is not None and member.guild_permissions.administrator,
    )


def member(user: discord.User | discord.Member) -> Person:
    """Somebody who is in the guild.

    Raises:
        NotFound: they have left it, or never were.
    """
    if not isinstance(user, discord.Member):
        raise NotFound(f"{safe(user.display_name)} is not a member here.", "Choose somebody who is.")
    return anybody(user)


def oneself(actor: Actor) -> Person:
    """Who asks about themselves.

    Raises:
        Invalid: in a direct message, where nobody has rights.
    """
    if actor.org_id is None or actor.discord_id is None:
        raise Invalid("Rights belong to a community, and this is a direct message.", "Ask in the community's server.")
    return Person(
        discord_id=actor.discord_id,
        username=actor.name,
        display_name=actor.name,
        role_ids=actor.role_ids,
        break_glass=actor.break_glass,
    )


def role(chosen: discord.Role) -> DiscordRole:
    return DiscordRole(chosen.id, chosen.name)
