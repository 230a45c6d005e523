"""Who may do what, in six steps. The first step that has an answer decides, and is the reason that is shown.

Plain values: what counts of somebody is loaded elsewhere (`db.queries.access`), what has ended by `now` counts no more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, TypeVar
from uuid import UUID

ABOVE_ALL: Final = 2**31
"""The rank of a guild's owner and of Discord Administrators; the priority of a role stays below it."""


class Step(Enum):
    """What decides, in this order."""

    BREAK_GLASS = "guild owner or Discord Administrator"
    SERVER_OVERRIDE = "an exception for this person on this server"
    ORG_OVERRIDE = "an exception for this person everywhere"
    SERVER_ROLE = "the role that this person has on this server in place of all others"
    ROLE = "the roles that this person holds"
    NOTHING = "nothing allows it"


@dataclass(frozen=True, kw_only=True)
class Override:
    """An exception for one person: a permission that they have, or do not have, whatever their roles say."""

    permission: str
    granted: bool
    server_id: UUID | None = None
    """None: everywhere."""
    expires_at: datetime | None = None
    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ServerRole:
    """The role of one person on one server. There it takes the place of every other role, for better or worse."""

    server_id: UUID
    role: str
    priority: int
    permissions: frozenset[str]
    expires_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class HeldRole:
    """A role that somebody has themselves, or through a Discord role that it is bound to."""

    role: str
    priority: int
    permissions: frozenset[str]
    discord_role_id: int | None = None
    """None: it was given to the person themselves."""
    servers: frozenset[UUID] | None = None
    """None: the whole org. Of a binding to a tag: the servers that have the tag."""
    tag: str | None = None

    def on(self, server_id: UUID | None) -> bool:
        """Does it count there? None: for the whole org."""
        return self.servers is None or server_id in self.servers


Reason = Override | ServerRole | tuple[HeldRole, ...] | None
Ending = TypeVar("Ending", Override, ServerRole)


@dataclass(frozen=True)
class Decision:
    """May they, and why: the step that decided, and the rows that it went by."""

    allowed: bool
    step: Step
    because: Reason = None


@dataclass(frozen=True)
class Scope:
    """The servers on which somebody has a permission: those where `(id in others) != everywhere`."""

    everywhere: bool
    others: frozenset[UUID] = frozenset()

    def covers(self, server_id: UUID | None) -> bool:
        """None: what belongs to no server follows the decision for the whole org."""
        return (server_id in self.others) != self.everywhere

    @property
    def nowhere(self) -> bool:
        return not self.everywhere and not self.others

    def __and__(self, other: "Scope") -> "Scope":
        """Where both hold."""
        if self.everywhere and other.everywhere:
            return Scope(True, self.others | other.others)
        if self.everywhere or other.everywhere:
            few, most = (other, self) if self.everywhere else (self, other)
            return Scope(False, few.others - most.others)
        return Scope(False, self.others & other.others)


EVERYWHERE: Final = Scope(True)
"""For what the bot does by itself."""


@dataclass(frozen=True, kw_only=True)
class Grants:
    """Everything that decides what one person may do in one org."""

    break_glass: bool = False
    overrides: tuple[Override, ...] = ()
    server_roles: tuple[ServerRole, ...] = ()
    roles: tuple[HeldRole, ...] = ()

    def decide(self, permission: str, server_id: UUID | None, now: datetime) -> Decision:
        """The six steps, for a server or (None) for the whole org."""
        if self.break_glass:
            return Decision(True, Step.BREAK_GLASS)
        exceptions = {one.server_id: one for one in _live(self.overrides, now) if one.permission == permission}
        if server_id is not None and (exception := exceptions.get(server_id)):
            return Decision(exception.granted, Step.SERVER_OVERRIDE, exception)
        if exception := exceptions.get(None):
            return Decision(exception.granted, Step.ORG_OVERRIDE, exception)
        for role in _live(self.server_roles, now):
            if role.server_id == server_id:
                return Decision(permission in role.permissions, Step.SERVER_ROLE, role)
        if held := tuple(role for role in self.roles if permission in role.permissions and role.on(server_id)):
            return Decision(True, Step.ROLE, held)
        return Decision(False, Step.NOTHING)

    def somewhere(self, permission: str, now: datetime) -> bool:
        """For the whole org, or on any server that something here names."""
        return not self.scope(permission, now).nowhere

    def scope(self, permission: str, now: datetime) -> Scope:
        """`decide` for all servers at once. A server that nothing here names is decided like the whole org."""
        everywhere = self.decide(permission, None, now)
        if everywhere.step is Step.BREAK_GLASS:
            return Scope(True)
        allowed: dict[UUID, bool] = {}  # the weakest step first: a stronger one writes over it
        if everywhere.step is not Step.ORG_OVERRIDE:
            for held in self.roles:
                if held.servers and permission in held.permissions:
                    allowed |= dict.fromkeys(held.servers, True)
            for role in _live(self.server_roles, now):
                allowed[role.server_id] = permission in role.permissions
        for one in _live(self.overrides, now):
            if one.server_id is not None and one.permission == permission:
                allowed[one.server_id] = one.granted
        others = frozenset(server_id for server_id, granted in allowed.items() if granted != everywhere.allowed)
        return Scope(everywhere.allowed, others)

    def rank(self) -> int | None:
        """The highest priority among the roles held in the whole org; None without any."""
        if self.break_glass:
            return ABOVE_ALL
        return max((role.priority for role in self.roles if role.servers is None), default=None)

    def ends(self) -> datetime | None:
        """When the first of this ends: until then it stays as it is by itself."""
        moments = [one.expires_at for one in (*self.overrides, *self.server_roles) if one.expires_at]
        return min(moments, default=None)


def _live(rows: Iterable[Ending], now: datetime) -> Iterable[Ending]:
    return (row for row in rows if row.expires_at is None or row.expires_at > now)
