"""Who acts, and through which interaction. Carried through every service call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from bot.domain.access import Grants, Scope
from bot.errors import Invalid

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
ActorType = Literal["user", "agent", "system"]


@dataclass
class Invocation:
    """One Discord interaction. `recorded` turns true once its audit row is committed."""

    id: int
    command: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    started: float = 0.0
    """Monotonic seconds at which the gate received it, for `duration_ms`."""
    recorded: bool = False
    file_limit: int = 10 * 2**20
    """The largest file that its answer may carry, in bytes: what Discord says, else what it allows everywhere."""

    @property
    def reference(self) -> str:
        """The correlation id: short enough to be read aloud, in logs, audit rows and error messages."""
        return f"{self.id:x}"


@dataclass(frozen=True, kw_only=True)
class Caller:
    """What an interaction says about who sent it, before anything was looked up. Needs no privileged intent."""

    user_id: int
    username: str
    display_name: str
    guild_id: int | None = None
    """None: typed in a direct message with the bot."""
    guild_name: str = ""
    guild_owner_id: int | None = None
    channel_id: int | None = None
    role_ids: frozenset[int] = frozenset()
    """Discord roles, @everyone (the guild's own id) included."""
    administrator: bool = False
    """Guild owner or Discord Administrator."""
    discord_permissions: int = 0
    """What Discord lets them do in the channel, as its bits: they decide which commands the picker shows."""


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person in a guild, an agent, or the bot itself."""

    type: ActorType
    name: str
    org_id: UUID | None = None
    guild_id: int | None = None
    channel_id: int | None = None
    """Where the command was typed: the fallback for messages without a channel of their purpose."""
    user_id: UUID | None = None
    discord_id: int | None = None
    role_ids: frozenset[int] = frozenset()
    """Discord roles of the member, @everyone (the guild's id) included."""
    discord_permissions: int = 0
    """As in `Caller`. Decides nothing but what `/help` shows."""
    grants: Grants = field(default_factory=Grants)
    """What lets them do what, at most 30 s old; break-glass comes with every interaction. A change asks again."""
    at: datetime = _ALWAYS
    """When they turned up: what had ended by then does not count."""
    invocation: Invocation | None = None

    @property
    def break_glass(self) -> bool:
        """Guild owner or Discord Administrator."""
        return self.grants.break_glass

    def may(self, permission: str) -> bool:
        """For the whole org, or on at least one of its servers."""
        return self.grants.somewhere(permission, self.at)

    def may_on(self, permission: str, server_id: UUID | None) -> bool:
        """There; None: for the whole org."""
        return self.grants.decide(permission, server_id, self.at).allowed

    def on(self, server_id: UUID | None) -> Callable[[str], bool]:
        """`may_on` for one server: what a card of it offers."""
        return lambda permission: self.may_on(permission, server_id)

    def scope(self, permission: str) -> Scope:
        """The servers on which they may."""
        return self.grants.scope(permission, self.at)

    def sight(self, permission: str) -> Scope:
        """The servers of which a look-up with this permission tells: they have to be seen at all, too."""
        return self.scope(permission) & self.scope("servers.view")

    @property
    def org(self) -> UUID:
        """The org of somebody who can only act inside one.

        Raises:
            Invalid: they act in none, such as in a direct message.
        """
        if self.org_id is None:
            raise Invalid("This works in a community only.", "Do it in a server where the bot is.")
        return self.org_id


def system(duty: str, org_id: UUID | None = None, guild_id: int | None = None) -> Actor:
    """The bot acting by itself, e.g. `system("leases.sweep")`; with a guild, where what it does is of one."""
    return Actor(type="system", name=duty, org_id=org_id, guild_id=guild_id)


def agent(name: str, org_id: UUID) -> Actor:
    """A host agent, acting through its key."""
    return Actor(type="agent", name=name, org_id=org_id)
