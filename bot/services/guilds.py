"""What of a Discord guild the services may look at and change. Implemented over the client's own copy of the guild."""

from dataclasses import dataclass
from typing import Protocol

from bot.domain.role_map import Role
from bot.services.panels import Where


@dataclass(frozen=True)
class GuildView:
    """A guild as the bot sees it now."""

    locale: str
    """The language that the guild set in Discord, such as `de` or `en-US`."""
    roles: tuple[Role, ...]
    channels: frozenset[int]
    """Its text channels."""
    may_make_channels: bool
    """Whether the bot has Manage Channels, and may see and write everywhere it is not kept out of."""

    def role_names(self) -> dict[int, str]:
        return {role.id: role.name for role in self.roles}


@dataclass(frozen=True)
class ChannelPlan:
    """A text channel to be made, once: a channel that looks exactly like it is taken for it."""

    name: str
    topic: str
    readers: frozenset[int] | None
    """Discord roles that see it; None: everyone sees it and only the bot writes."""
    reason: str
    """What Discord's own audit log says."""


class Guilds(Protocol):
    """How the services reach Discord's guilds."""

    def look(self, guild_id: int) -> GuildView | None:
        """The guild now; None where this process is not connected to it."""
        ...

    def where(self, guild_id: int, channel_id: int) -> Where | None:
        """A text channel of the guild and what the bot lacks there; None where there is none."""
        ...

    async def make_channel(self, guild_id: int, plan: ChannelPlan) -> int:
        """The id of the channel of this plan, which is made unless it is there.

        Raises:
            Invalid, Conflict, Unavailable: Discord refuses, or does not answer.
        """
        ...
