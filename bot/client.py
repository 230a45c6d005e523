"""The Discord client: guilds intent only, no member cache; commands and components go to the gate."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.errors import Unavailable
from bot.gate import Gate, Tree, ungated
from bot.services import Services
from bot.services.access_bindings import DiscordRole
from bot.services.schedules_authors import Membership

log = logging.getLogger(__name__)

# The bot never speaks: nobody needs to read at each start that voice is not supported.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

PERSIST_EVERY: Final = 5.0
MEMBER_WITHIN: Final = 2.0
"""Seconds to ask Discord who somebody is: an answer to a person waits for it."""
EXTENSIONS: Final = (
    "cogs.access",
    "cogs.alert",
    "cogs.announce",
    "cogs.audit",
    "cogs.backup",
    "cogs.ban",
    "cogs.batch",
    "cogs.config",
    "cogs.confirm",
    "cogs.console",
    "cogs.fleet",
    "cogs.help",
    "cogs.host",
    "cogs.incident",
    "cogs.job",
    "cogs.macro",
    "cogs.maintenance",
    "cogs.mod",
    "cogs.my",
    "cogs.notify",
    "cogs.panel",
    "cogs.player",
    "cogs.players",
    "cogs.schedule",
    "cogs.server",
    "cogs.server_holds",
    "cogs.server_plans",
    "cogs.setup",
    "cogs.setup_check",
    "cogs.status",
)


class Client(commands.AutoShardedBot):
    """Connects to Discord. `gate` is where every interaction enters; `services` is what the cogs are given."""

    def __init__(self, services: Services) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self.services = services
        self.gate = Gate(services)

    async def setup_hook(self) -> None:
        """Loads the cogs, refuses ungated commands, registers the tree where it changed."""
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        if loose := ungated(self.tree):
            raise RuntimeError(f"these commands go round the gate: {', '.join(loose)}")
        await self.register()

    async def register(self, *, anew: bool = False) -> None:
        """Syncs the command tree, only when its hash changed or (`anew`) somebody asks for it: Discord allows few syncs
        a day."""
        application = self.application_id or 0
        if not anew and await self.services.state.tree_hash(application) == self._digest():
            return
        synced = await self.tree.sync()
        ids = {command.name: command.id for command in synced}
        await self.services.state.remember_tree(application, self._digest(), ids)
        log.info("registered %d commands", len(ids))

    async def is_registered(self, found: Sequence[app_commands.AppCommand]) -> bool:
        """Are these, which Discord has, the commands of this version?"""
        names = {command.name for command in self.tree.get_commands()}
        registered = await self.services.state.tree_hash(self.application_id or 0)
        return names == {command.name for command in found} and registered == self._digest()

    def _digest(self) -> str:
        tree = [command.to_dict(self.tree) for command in self.tree.get_commands()]
        return hashlib.sha256(json.dumps(tree, sort_keys=True, default=str).encode()).hexdigest()

    async def membership(self, guild_id: int, user_id: int) -> Membership | None:
        """What somebody is in a guild now; None where Discord does not say it at once."""
        guild = self.get_guild(guild_id)
        if guild is None:
            return None
        try:
            async with asyncio.timeout(MEMBER_WITHIN):
                member = await guild.fetch_member(user_id)
        except discord.NotFound:
            return Membership(frozenset())
        except (TimeoutError, OSError, aiohttp.ClientError, discord.DiscordException) as error:
            log.warning("who %d is in %d is not known: %s", user_id, guild_id, error)
            return None
        administrator = guild.owner_id == user_id or member.guild_permissions.administrator
        return Membership(frozenset(role.id for role in member.roles), administrator)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Components and forms; the tree takes commands by itself."""
        await self.gate.dispatch(interaction)

    async def on_message(self, message: discord.Message, /) -> None:
        """Text is no command here."""

    async def on_guild_join(self, guild: discord.Guild) -> None:
        identity = self.services.identity
        await self._persist(lambda: identity.guild_joined(guild.id, guild.name, guild.owner_id))

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._persist(lambda: self.services.identity.guild_left(guild.id))

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        gone = DiscordRole(role.id, role.name)
        await self._persist(lambda: self.services.access_bindings.gone(role.guild.id, gone))

    async def on_ready(self) -> None:
        """Orgs of guilds that came or went while the bot was down."""
        guilds = [(guild.id, guild.name or "?", guild.owner_id) for guild in self.guilds if not guild.unavailable]
        held = list(self.shards) or [0]
        if len(guilds) == len(self.guilds):  # during an outage nobody has left
            identity = self.services.identity
            await self._persist(lambda: identity.guilds_present(guilds, self.shard_count or 1, held))

    async def _persist(self, write: Callable[[], Awaitable[object]]) -> None:
        """Writes down what Discord says only once, as soon as there is a database."""
        while not self.is_closed():
            try:
                await write()
            except Unavailable as error:
                log.warning("not written down yet: %s", error)
                await asyncio.sleep(PERSIST_EVERY)
            else:
                return
