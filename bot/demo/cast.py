"""Who and what the simulated Discord has: a guild, its channels, and three people with different rights."""

from dataclasses import dataclass
from typing import Final

import discord
import simcord
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle, GuildHandle, RoleHandle

from bot.demo import simcord_private as private
from bot.demo.faces import face

GUILD: Final = "Riverside Games"
BOT: Final = "Gamekeeper"

#: name -> (topic, only for staff). In the order of the sidebar.
CHANNELS: Final = {
    "general": ("Everybody. Try /status or /players", False),
    "status": ("How the servers are, right now", False),
    "players": ("Who comes and goes", False),
    "ops": ("What is being done to the servers, step by step", True),
    "alerts": ("What needs somebody's attention", True),
    "bans": ("Who was banned, and why", False),
    "audit": ("Who did what", True),
}


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Handles of the world, ready to act."""

    guild: GuildHandle
    channels: dict[str, ChannelHandle]
    moderators: RoleHandle
    owner: MemberActor
    moderator: MemberActor
    player: MemberActor
    pictures: dict[str, tuple[str, bytes]]

    @property
    def viewers(self) -> dict[str, MemberActor]:
        """Whom the playground lets one be, by what they are."""
        return {"Owner": self.owner, "Moderator": self.moderator, "Player": self.player}


def enter(env: simcord.Env) -> Cast:
    """Build the guild in a started world; the bot sees it join."""
    owner = env.create_user("olga", global_name="Olga")
    guild = env.create_guild(GUILD, owner=owner)
    rights = discord.Permissions(moderate_members=True, ban_members=True, view_audit_log=True)
    moderators = guild.create_role("Moderator", permissions=rights, color=0x2ECC71)
    moderator = guild.add_member(env.create_user("mika", global_name="Mika"), roles=[moderators])
    player = guild.add_member(env.create_user("pia", global_name="Pia"))
    channels = {name: _channel(env, guild, moderators, name) for name in CHANNELS}
    faces = {owner.id: face("O", "#5865f2"), moderator.id: face("M", "#248046"), player.id: face("P", "#a8662d")}
    bot = _bot(env)
    return Cast(
        guild=guild,
        channels=channels,
        moderators=moderators,
        owner=private.owner_of(guild),
        moderator=moderator,
        player=player,
        pictures=private.wear(env, {**faces, bot.id: face("G", "#1a6e3c")}),
    )


def _channel(env: simcord.Env, guild: GuildHandle, moderators: RoleHandle, name: str) -> ChannelHandle:
    topic, staff = CHANNELS[name]
    if not staff:
        return guild.create_text_channel(name, topic=topic)
    seen = discord.PermissionOverwrite(view_channel=True)
    hidden = discord.PermissionOverwrite(view_channel=False)
    return guild.create_text_channel(
        name, topic=topic, overwrites={guild.default_role: hidden, moderators: seen, _bot(env): seen}
    )


def _bot(env: simcord.Env) -> discord.ClientUser:
    if env.bot.user is None:
        raise RuntimeError("the world has not started")
    return env.bot.user
