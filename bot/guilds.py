"""Guilds as the services see them: read from the Discord client's own copy, changed through its REST calls."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

import aiohttp
import discord

from bot.domain.role_map import TELLING, Role
from bot.errors import AppError, Conflict, Invalid, Unavailable
from bot.services.guilds import ChannelPlan, GuildView
from bot.services.panels import Where
from cogs.posting import where

log = logging.getLogger(__name__)

WITHIN: Final = 8.0
"""Seconds for two calls of Discord; the person who waits has been told that it goes on."""
_FULL: Final = 30013
"""Discord's code for a guild with as many channels as it may have."""


class DiscordGuilds:
    """`bot.services.guilds.Guilds` over the client that is connected at the time."""

    def __init__(self, client: Callable[[], discord.Client]) -> None:
        self._client = client

    def look(self, guild_id: int) -> GuildView | None:
        guild = self._client().get_guild(guild_id)
        if guild is None:
            return None
        me = _me(guild)
        return GuildView(
            locale=str(guild.preferred_locale),
            roles=tuple(_role(role) for role in guild.roles),
            channels=frozenset(channel.id for channel in guild.text_channels),
            may_make_channels=me is None or me.guild_permissions.manage_channels,
        )

    def where(self, guild_id: int, channel_id: int) -> Where | None:
        guild = self._client().get_guild(guild_id)
        channel = guild.get_channel(channel_id) if guild else None
        if not isinstance(channel, discord.TextChannel):
            return None
        return where(channel) if _me(channel.guild) else Where(channel.id)

    async def make_channel(self, guild_id: int, plan: ChannelPlan) -> int:
        guild = self._client().get_guild(guild_id)
        if guild is None:
            raise Unavailable("Discord does not tell me about this server now.", "Try again in a minute.")
        try:
            async with asyncio.timeout(WITHIN):
                return await _made(guild, plan)
        except discord.HTTPException as error:
            raise _refused(error) from error
        except (TimeoutError, OSError, aiohttp.ClientError, discord.DiscordException) as error:
            log.warning("no channel in %d: %s", guild_id, error)
            raise Unavailable("Discord did not answer.", "Press it again: no channel is made twice.") from error


async def _made(guild: discord.Guild, plan: ChannelPlan) -> int:
    me = _me(guild)
    if me is None:
        raise Unavailable("Discord has not told me yet what I may do here.", "Try again in a minute.")
    overwrites = _overwrites(guild, me, plan)
    # Asked, not remembered: a channel may have been made a moment ago by a press whose end nobody saw.
    for channel in await guild.fetch_channels():
        if isinstance(channel, discord.TextChannel) and _is_it(channel, plan):
            return channel.id
    names = {channel.name for channel in guild.text_channels}
    name = f"gamekeeper-{plan.name}" if plan.name in names else plan.name
    made = await guild.create_text_channel(name, topic=plan.topic, overwrites=overwrites, reason=plan.reason)
    return made.id


def _is_it(channel: discord.TextChannel, plan: ChannelPlan) -> bool:
    """Made for this purpose, and as closed as it was made: anybody may write such a topic."""
    hidden = channel.overwrites_for(channel.guild.default_role).view_channel is False
    return channel.topic == plan.topic and hidden is (plan.readers is not None)


def _overwrites(
    guild: discord.Guild, me: discord.Member, plan: ChannelPlan
) -> dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite]:
    """Only rights that the bot needs to have itself anyway: Discord lets nobody give away others."""
    mine = discord.PermissionOverwrite(view_channel=True, send_messages=True)
    if plan.readers is None:
        return {guild.default_role: discord.PermissionOverwrite(send_messages=False), me: mine}
    readers = [role for role in guild.roles if role.id in plan.readers]
    return {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        me: mine,
        **{role: discord.PermissionOverwrite(view_channel=True) for role in readers},
    }


def _me(guild: discord.Guild) -> discord.Member | None:
    """The bot's own member, which Discord sends with the guild; discord.py is sure that it did."""
    return cast("discord.Member | None", guild.me)


def _refused(error: discord.HTTPException) -> AppError:
    if error.code == _FULL:
        return Conflict("This server has as many channels as Discord allows.", "Choose one that is there.")
    if error.status == 403:
        return Invalid(
            "Discord does not let me make this channel.",
            "Give my role Manage Channels, View Channels and Send Messages in Server Settings, Roles.",
        )
    if error.status == 429 or error.status >= 500:
        return Unavailable("Discord is busy.", "Press it again in a minute: no channel is made twice.")
    return Invalid(f"Discord refused the channel: {error.text[:200]}", "Choose a channel that is there.")


def _role(role: discord.Role) -> Role:
    rights = frozenset(name for name in TELLING if getattr(role.permissions, name))
    return Role(role.id, role.name, rights, managed=role.managed, everyone=role.is_default())
