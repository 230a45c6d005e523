"""Members of a guild as interactions describe them, and the actors that they become."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from bot.domain.actors import Actor, Caller, Invocation
from bot.services.identity import Identity
from db.engine import Database

GUILD = 1001
MODERATORS, ADMINS = 501, 502
"""Discord roles."""

_interactions = count(1_000_000)


def caller(name: str = "ann", **changed: Any) -> Caller:
    """A member without any role but @everyone; the same name is the same person."""
    values: dict[str, Any] = {
        "user_id": 10_000 + sum(map(ord, name)),
        "username": name,
        "display_name": name.capitalize(),
        "guild_id": GUILD,
        "guild_name": f"Guild {GUILD}",
        "guild_owner_id": 1,
        "channel_id": 4242,
        "role_ids": frozenset({GUILD}),
    }
    return Caller(**{**values, **changed})


def interaction(command: str = "test") -> Invocation:
    """One of its own."""
    return Invocation(next(_interactions), command)


def again(actor: Actor, command: str = "test") -> Actor:
    """The same person in another interaction."""
    return replace(actor, invocation=interaction(command))


@dataclass
class People:
    """Actors of one guild."""

    db: Database
    identity: Identity = field(init=False)

    def __post_init__(self) -> None:
        self.identity = Identity(self.db)

    async def actor(self, name: str = "ann", *roles: int, **changed: Any) -> Actor:
        """A member with these Discord roles, in an interaction of their own."""
        who = caller(name, role_ids=frozenset({GUILD, *roles}), **changed)
        return await self.identity.actor(who, interaction())

    async def owner(self) -> Actor:
        return await self.actor("olga", administrator=True)
