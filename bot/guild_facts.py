"""What Discord says of a guild and of the bot in it, for `/setup check`; and the little it lets the bot mend there.

Rights come from the client's own copy of the guild; what is set for commands is asked, within a time limit. A question
without an answer is None: not knowing is no news about the guild."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import aiohttp
import discord
from discord import app_commands

from bot.client import Client
from bot.domain.checks_discord import (
    INVITE_BITS,
    ChannelFact,
    GroupFact,
    GuildFacts,
    Overrides,
    RoleFact,
)
from bot.errors import AppError, Invalid, NotFound, Unavailable
from bot.gate import Spec

log = logging.getLogger(__name__)

WITHIN: Final = 3.0
"""Seconds for a question to Discord: somebody waits for the whole list."""
CHANGE_WITHIN: Final = 10.0
_AWAY: Final = (TimeoutError, OSError, aiohttp.ClientError, discord.DiscordException)
_NEEDED: Final = ("view_channel", "send_messages", "embed_links", "attach_files", "read_message_history")
_ROLE, _CHANNEL = 1, 3
"""Kinds of what a setting for commands is about."""
T = TypeVar("T")


class DiscordFacts:
    """`bot.services.setup_check.Discord` over the client that is connected at the time."""

    def __init__(self, client: Callable[[], Client]) -> None:
        self._client = client

    async def facts(self, guild_id: int, channels: Collection[int]) -> GuildFacts | None:
        client = self._client()
        guild = client.get_guild(guild_id)
        if guild is None or guild.unavailable or client.application_id is None:
            return None
        me = _me(guild)
        fetched, settings = await asyncio.gather(
            _asked(client.tree.fetch_commands(), "the commands"),
            _asked(_settings(client, client.application_id, guild_id), "what is set for commands"),
        )
        ids = {command.name: command.id for command in fetched or ()}
        known = None if fetched is None else settings
        return GuildFacts(
            guild_id=guild_id,
            invite=discord.utils.oauth_url(
                client.application_id,
                permissions=discord.Permissions(INVITE_BITS),
                scopes=("bot", "applications.commands"),
            ),
            rights=me.guild_permissions.value if me else None,
            latency_ms=client.latency * 1000 if math.isfinite(client.latency) else None,
            roles={role.id: RoleFact(role.name, role.permissions.value) for role in guild.roles},
            channels=_channels(guild, me, channels),
            groups=[_group(command, (known or {}).get(ids.get(command.name, 0))) for command in _top(client)],
            registered=None if fetched is None else await client.is_registered(fetched),
            overall=None if known is None else known.get(client.application_id, Overrides()),
        )

    async def let_in(self, guild_id: int, channel_id: int, reason: str) -> None:
        client = self._client()
        guild = client.get_guild(guild_id)
        channel = guild.get_channel(channel_id) if guild else None
        if guild is None or channel is None:
            raise NotFound("This channel is gone.", "Choose another one with `/setup channels`.")
        me = _me(guild)
        if me is None:
            raise Unavailable("Discord did not answer.", "Try again in a minute.")
        given = {name: True for name in _NEEDED if getattr(me.guild_permissions, name)}
        overwrite = channel.overwrites_for(me)
        overwrite.update(**given)
        await _changed(channel.set_permissions(me, overwrite=overwrite, reason=reason))

    async def register(self) -> None:
        """Only where it is needed: it is Discord's patience with the whole bot that is used up."""
        client = self._client()
        found = await _asked(client.tree.fetch_commands(), "the commands")
        if found is None or not await client.is_registered(found):
            await _changed(client.register(anew=True))


def _me(guild: discord.Guild) -> discord.Member | None:
    """The bot as a member. Not there until Discord has sent it, whatever discord.py promises."""
    return cast("discord.Member | None", guild.me)


async def _asked(question: Awaitable[T], what: str) -> T | None:
    try:
        async with asyncio.timeout(WITHIN):
            return await question
    except _AWAY as error:
        log.warning("Discord did not say %s: %s", what, str(error) or type(error).__name__)
        return None


async def _settings(client: Client, application: int, guild_id: int) -> dict[int, Overrides]:
    """What a guild has set, for commands and for the bot as a whole, by their ids: one request for all of them."""
    found = await client.http.get_guild_application_command_permissions(application, guild_id)
    return {
        int(one["id"]): _overrides(cast("Sequence[Mapping[str, Any]]", one["permissions"]), guild_id) for one in found
    }


def _overrides(given: Sequence[Mapping[str, Any]], guild_id: int) -> Overrides:
    roles = {int(one["id"]): bool(one["permission"]) for one in given if one["type"] == _ROLE}
    every = guild_id - 1  # how Discord writes: all channels
    everywhere = [bool(one["permission"]) for one in given if one["type"] == _CHANNEL and int(one["id"]) == every]
    return Overrides(roles, everywhere[0] if everywhere else None)


def _channels(guild: discord.Guild, me: discord.Member | None, wanted: Collection[int]) -> dict[int, ChannelFact]:
    there = [channel for channel in map(guild.get_channel, wanted) if channel is not None]
    return {one.id: ChannelFact(one.name, one.permissions_for(me).value if me else -1) for one in there}


def _top(client: Client) -> list[app_commands.Command[Any, ..., Any] | app_commands.Group]:
    return sorted(client.tree.get_commands(type=discord.AppCommandType.chat_input), key=lambda one: one.name)


def _group(command: app_commands.Command[Any, ..., Any] | app_commands.Group, set_for: Overrides | None) -> GroupFact:
    below = list(command.walk_commands()) if isinstance(command, app_commands.Group) else [command]
    leaves = {one.qualified_name: _permission(one) for one in below if isinstance(one, app_commands.Command)}
    default = command.default_permissions
    return GroupFact(command.name, default.value if default else 0, leaves, set_for or Overrides())


def _permission(command: app_commands.Command[Any, ..., Any]) -> str:
    spec: Spec = cast("Any", command.callback).__gated__  # set by @gate, checked at the start
    return spec.permission


async def _changed(change: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(CHANGE_WITHIN):
            await change
    except discord.HTTPException as error:
        raise _refused(error) from error
    except _AWAY as error:
        raise Unavailable("Discord did not answer.", "Check again in a minute: it may be done.") from error


def _refused(error: discord.HTTPException) -> AppError:
    if error.status in (403, 404):
        return Invalid("Discord does not let me do this.", "Do it by hand, as the check says.")
    if error.status == 429 or error.status >= 500:
        return Unavailable("Discord is busy.", "Try again in a minute.")
    return Invalid(f"Discord refused it: {error.text[:200]}", "Do it by hand, as the check says.")
