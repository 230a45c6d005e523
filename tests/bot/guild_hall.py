"""A guild in memory, as the services see guilds."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Self

from bot.domain.role_map import Role
from bot.services.guilds import ChannelPlan, GuildView
from bot.services.panels import Where


@dataclass
class Hall:
    """Implements `bot.services.guilds.Guilds` for one guild."""

    view: GuildView
    made: list[ChannelPlan] = field(default_factory=list[ChannelPlan])
    lacking: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    """Channel -> what the bot lacks there."""
    seconds: float = 0.0
    """How long Discord takes to make a channel."""
    connected: bool = True

    @classmethod
    def with_roles(cls, *roles: int | Role, channels: frozenset[int] = frozenset()) -> Self:
        """Roles by id have no telling rights."""
        full = tuple(role if isinstance(role, Role) else Role(role, f"role {role}") for role in roles)
        return cls(GuildView(locale="de", roles=full, channels=channels, may_make_channels=True))

    def look(self, guild_id: int) -> GuildView | None:
        return self.view if self.connected else None

    def where(self, guild_id: int, channel_id: int) -> Where | None:
        return Where(channel_id, self.lacking.get(channel_id, ())) if channel_id in self.view.channels else None

    async def make_channel(self, guild_id: int, plan: ChannelPlan) -> int:
        await asyncio.sleep(self.seconds)
        self.made.append(plan)
        channel = 70_000 + len(self.made)
        self.view = replace(self.view, channels=self.view.channels | {channel})
        return channel
