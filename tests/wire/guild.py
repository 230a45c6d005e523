"""A guild, its members and its channels, as Discord describes them to a bot."""

from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

EVERYTHING: Final = (1 << 50) - 1
MODERATION: Final = 1 << 40 | 1 << 31 | 1 << 11 | 1 << 10 | 1 << 7 | 1 << 2
"""Moderate and ban members, view the audit log, use commands, see and write."""
ORDINARY: Final = 1 << 31 | 1 << 11 | 1 << 10


@dataclass(frozen=True)
class Person:
    """A member of the guild."""

    id: int
    name: str
    permissions: int = ORDINARY
    roles: tuple[int, ...] = ()

    @property
    def user(self) -> Json:
        named = {"username": self.name, "global_name": self.name.capitalize(), "discriminator": "0"}
        return {"id": str(self.id), **named, "avatar": None, "bot": False, "public_flags": 0}

    @property
    def member(self) -> Json:
        return {
            "user": self.user,
            "roles": [str(role) for role in self.roles],
            "permissions": str(self.permissions),
            "nick": None,
            "avatar": None,
            "joined_at": "2025-02-01T00:00:00.000000+00:00",
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "pending": False,
            "flags": 0,
            "communication_disabled_until": None,
        }


@dataclass(frozen=True)
class Channel:
    """A text channel."""

    id: int
    name: str

    @property
    def payload(self) -> Json:
        place: Json = {"position": 0, "parent_id": None, "topic": None, "nsfw": False, "permission_overwrites": []}
        return {"id": str(self.id), "type": 0, "name": self.name, "flags": 0, "rate_limit_per_user": 0, **place}


@dataclass(frozen=True)
class Guild:
    """An owner, a moderator and a player; #general, #ops and #log."""

    id: int = 700
    name: str = "Dust & Iron"
    owner: Person = Person(701, "olga", EVERYTHING)
    moderators: int = 702
    """The role that moderators have."""
    moderator: Person = Person(703, "mia", MODERATION, (702,))
    player: Person = Person(704, "bob")
    general: Channel = Channel(710, "general")
    ops: Channel = Channel(711, "ops")
    log: Channel = Channel(712, "log")

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.general, self.ops, self.log

    @property
    def payload(self) -> Json:
        """GUILD_CREATE, as a bot without privileged intents gets it."""
        lists = "emojis stickers members threads presences voice_states stage_instances guild_scheduled_events"
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "roles": [_role(self.id, "@everyone", ORDINARY), _role(self.moderators, "Moderator", MODERATION)],
            "channels": [channel.payload for channel in self.channels],
            **{name: [] for name in f"{lists} soundboard_sounds features".split()},
            "unavailable": False,
            "large": False,
            "member_count": 4,
            "joined_at": "2025-01-01T00:00:00.000000+00:00",
            "afk_timeout": 300,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 2,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "premium_progress_bar_enabled": False,
        }


def _role(number: int, name: str, permissions: int) -> Json:
    colours = {"color": 0, "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None}}
    looks = {"hoist": False, "icon": None, "unicode_emoji": None, "mentionable": False, "managed": False}
    return (
        {"id": str(number), "name": name, "position": 1, "permissions": str(permissions), "flags": 0} | looks | colours
    )
