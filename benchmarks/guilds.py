"""Guilds and interactions as Discord sends them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = dict[str, Any]

FIRST_GUILD: Final = 1_100_000_000_000_000_000
_STEP: Final = 1 << 22
_MODERATOR_BITS: Final = str(1 << 40 | 1 << 11 | 1 << 10)
_STRING_OPTION: Final = 3


@dataclass(frozen=True)
class Guild:
    """One community, by number: its ids follow from it."""

    number: int

    @property
    def id(self) -> int:
        return FIRST_GUILD + self.number * _STEP * 100

    @property
    def name(self) -> str:
        return f"Community {self.number}"

    @property
    def owner(self) -> int:
        return self.id + 1

    @property
    def moderator(self) -> int:
        """A member with the role below; not the owner, so permissions are really looked up."""
        return self.id + 2

    @property
    def role(self) -> int:
        return self.id + 3

    @property
    def others(self) -> range:
        """The other roles of the guild; the member above has the first six."""
        return range(self.id + 100, self.id + 118)

    @property
    def channel(self) -> int:
        return self.id + 4

    @property
    def payload(self) -> Json:
        """GUILD_CREATE of an ordinary guild: 20 roles, 30 channels, and no members, which need an intent."""
        roles = [_role(self.id, "@everyone"), _role(self.role, "Moderator")]
        roles += [_role(number, f"Role {number}") for number in self.others]
        channels = [_channel(self.channel, "general", 0)]
        channels += [_channel(self.id + 200 + number, f"channel-{number}", number) for number in range(1, 30)]
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner),
            "member_count": 250,
            "large": False,
            "unavailable": False,
            "joined_at": "2025-01-01T00:00:00.000000+00:00",
            "roles": roles,
            "channels": channels,
            "threads": [],
            "emojis": [],
            "stickers": [],
            "members": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "features": ["COMMUNITY"],
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "vanity_url_code": None,
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": str(self.channel),
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 2,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "max_members": 500_000,
        }

    def command(self, group: str, name: str = "", /, **options: str) -> Json:
        """The moderator's slash command: `group name`, or one without a group."""
        given = [{"name": key, "type": _STRING_OPTION, "value": value} for key, value in options.items()]
        inner = [{"name": name, "type": 1, "options": given}] if name else given
        data = {"id": "1", "name": group, "type": 1, "options": inner}
        channel = {**_channel(self.channel, "general", 0), "permissions": _MODERATOR_BITS}
        return {
            "type": 2,
            "guild_id": str(self.id),
            "channel_id": str(self.channel),
            "guild": {"id": str(self.id), "locale": "en-US", "features": []},
            "channel": channel,
            "member": _member(self.moderator, self.role, *self.others[:6]),
            "data": data,
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": _MODERATOR_BITS,
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(self.id)},
            "context": 0,
            "attachment_size_limit": 10_485_760,
        }


def _role(number: int, name: str) -> Json:
    looks: Mapping[str, Any] = {"color": 0, "hoist": False, "icon": None, "unicode_emoji": None, "mentionable": False}
    colours = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
    return {
        "id": str(number),
        "name": name,
        "position": 1,
        "permissions": _MODERATOR_BITS,
        "managed": False,
        "flags": 0,
        "colors": colours,
        **looks,
    }


def _channel(number: int, name: str, position: int) -> Json:
    return {
        "id": str(number),
        "type": 0,
        "name": name,
        "position": position,
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "last_message_id": None,
        "rate_limit_per_user": 0,
        "permission_overwrites": [],
        "flags": 0,
    }


def _member(user: int, *roles: int) -> Json:
    return {
        "user": {
            "id": str(user),
            "username": f"mia{user}",
            "global_name": "Mia",
            "discriminator": "0",
            "avatar": None,
            "public_flags": 0,
        },
        "nick": None,
        "avatar": None,
        "roles": [str(role) for role in roles],
        "joined_at": "2025-02-01T00:00:00.000000+00:00",
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "permissions": _MODERATOR_BITS,
        "communication_disabled_until": None,
    }
