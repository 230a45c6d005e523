"""One simulated player: identities, numbers, and how console and log write them."""

import hashlib
import re
from dataclasses import dataclass, field

UNKNOWN = "<unknown>"
_COMBINED = re.compile(r"Steam_\d{17}|EOS_[0-9a-f]{32}|XBL_\d{16}|PSN_\d{1,20}")


def is_combined_id(text: str) -> bool:
    """Say whether the server would take the text as the id of somebody who may be offline."""
    return _COMBINED.fullmatch(text) is not None


def invented_steam(name: str) -> str:
    """The same 17 digits for the same name."""
    return f"7656119{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 10**10:010}"


def invented_eos(name: str) -> str:
    """The same 32 hexadecimal digits for the same name."""
    return f"0002{hashlib.sha256(name.encode()).hexdigest()[:28]}"


@dataclass
class Player:
    """`platform`, `cross` and `owner` are combined ids, or `<unknown>`. `entity` is -1 until the login is accepted."""

    name: str
    platform: str
    cross: str
    owner: str
    ip: str
    client: int
    entity: int = -1
    position: tuple[float, float, float] = (342.4, 49.0, -541.9)
    health: int = 112
    deaths: int = 0
    zombies: int = 0
    kills: int = 0
    level: int = 1
    ping: int = 13
    heard: list[str] = field(default_factory=list[str])

    @property
    def user_id(self) -> str:
        """The id that bans and permissions are stored under."""
        return self.platform if self.cross == UNKNOWN else self.cross

    @property
    def user_ids(self) -> tuple[str, ...]:
        """Everything that a ban or a whitelist entry may name."""
        return tuple({self.platform, self.cross, self.owner} - {UNKNOWN})

    def ids(self) -> str:
        """The tail of most log records about a player."""
        return (
            f"EntityID={self.entity}, PltfmId='{self.platform}', CrossId='{self.cross}', OwnerID='{self.owner}', "
            f"PlayerName='{self.name}', ClientNumber='{self.client}'"
        )

    def row(self, index: int) -> str:
        """The player's line in the answer to `lp`."""
        x, y, z = self.position
        score = self.zombies + 5 * self.kills
        return (
            f"{index}. id={self.entity}, {self.name}, pos=({x:.1f}, {y:.1f}, {z:.1f}), rot=(0.0, 194.1, 0.0), "
            f"remote=True, health={self.health}, deaths={self.deaths}, zombies={self.zombies}, players={self.kills}, "
            f"score={score}, level={self.level}, pltfmid={self.platform}, crossid={self.cross}, ip={self.ip}, "
            f"ping={self.ping}"
        )
