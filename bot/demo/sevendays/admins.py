"""Who may do what and who may not come in: users, whitelist and blacklist in memory, and when they count."""

from dataclasses import dataclass, field
from datetime import datetime

STAMP = "%Y-%m-%d %H:%M:%S"


def local_now() -> datetime:
    """The server's local time, to the second, without a zone: what its files and answers are written in."""
    return datetime.now().astimezone().replace(tzinfo=None, microsecond=0)


@dataclass(frozen=True)
class Permission:
    """A user's level: 0 may everything. `name` is what was known when the entry was made."""

    level: int
    name: str = ""


@dataclass(frozen=True)
class Ban:
    """`until` is in the server's local time, without a zone, as everywhere in this game."""

    until: datetime
    reason: str
    name: str = ""


@dataclass
class Admins:
    """What serveradmin.xml holds. Keys are combined ids such as `Steam_7656…`; raw elements are kept as attributes."""

    users: dict[str, Permission] = field(default_factory=dict[str, Permission])
    groups: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    whitelist: dict[str, str] = field(default_factory=dict[str, str])
    whitelist_groups: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    bans: dict[str, Ban] = field(default_factory=dict[str, Ban])
    commands: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    tokens: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def ban_of(self, ids: tuple[str, ...], now: datetime) -> Ban | None:
        """The ban that keeps a player with these ids out. Bans found to be over are forgotten."""
        for user in ids:
            ban = self.bans.get(user)
            if ban and ban.until > now:
                return ban
            self.bans.pop(user, None)
        return None

    def shuts_out(self, ids: tuple[str, ...]) -> bool:
        """Any entry in the whitelist turns whitelist-only mode on; who is an admin comes in all the same."""
        return bool(self.whitelist) and not any(user in self.whitelist or user in self.users for user in ids)
