"""What a game's list of bans holds. Times are aware."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

Known = tuple[str, str]
"""A kind of identity and its value, in our form."""

FOR_GOOD: Final = timedelta(days=36525)
"""A ban that ends later than this from now was meant to last."""
SLACK: Final = timedelta(seconds=5)
"""A list is read some time after it was made, and a ban is made some time after it was asked for."""


@dataclass(frozen=True)
class BanRow:
    """A ban that the game lists. Its end lies between the two times; None and None: it does not end."""

    of: Known
    earliest: datetime | None = None
    latest: datetime | None = None

    def covers(self, until: datetime | None) -> bool:
        """Does it last as long as it has to?"""
        return self.latest is None or (until is not None and self.latest >= until - SLACK)


@dataclass(frozen=True)
class BanList:
    """What the game said. Without `complete` it proves nobody's absence."""

    rows: tuple[BanRow, ...] = ()
    complete: bool = False

    def of(self, one: Known) -> BanRow | None:
        """The ban of this identity; the longest, should the game list it twice."""
        found = [row for row in self.rows if row.of == one]
        return max(found, key=lambda row: (row.latest is None, row.latest), default=None)
