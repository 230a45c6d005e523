"""What a seal is a hash of. The form never changes: another one would make every seal that is posted a wrong one.

Every value is written as `<number of characters>:<text>`, an empty one as `-`, one after the other. A row is its
`FIELDS`; the text of each is what PostgreSQL casts it to, but a time, which is its microseconds since 1970 in UTC.
Nothing of it depends on the settings of a session or on the version of the server. A seal is the SHA-256 of `FORM`, its
own columns, the seal before it and the SHA-256 of its rows, all in UTF-8.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from bot.domain.id_ranges import IdRanges

FORM: Final = "gamekeeper.audit.1"
"""Another form gets another name; whoever verifies then tries both."""
FIELDS: Final = (
    "id",
    "discord_guild_id",
    "actor_type",
    "actor_discord_id",
    "action",
    "outcome",
    "resource_type",
    "resource_id",
    "command",
    "options",
    "details",
    "error",
    "correlation_id",
    "interaction_id",
    "channel_id",
    "ip",
    "duration_ms",
    "created_at",
)
"""Columns of a row, in this order."""
LEFT_OUT: Final = frozenset({"org_id", "actor_id"})
"""They become empty when an org is purged or a user's row goes, and a row stays what it was."""
BEFORE_THE_FIRST: Final = bytes(32)

Row = Sequence[str | None]
"""The texts of `FIELDS`."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class RowsHash:
    """The hash of rows, which come in the order of their ids and in any number of portions."""

    def __init__(self) -> None:
        self._hash = sha256()

    def add(self, rows: Sequence[Row]) -> None:
        self._hash.update("".join([written(row) for row in rows]).encode())

    @property
    def digest(self) -> bytes:
        return self._hash.digest()


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What a seal says of itself."""

    org: UUID
    number: int
    ids: IdRanges
    count: int
    sealed_at: datetime

    def hash(self, rows: bytes, previous: bytes) -> bytes:
        """With the hash of its rows and the seal before it."""
        head = (
            FORM,
            str(self.org),
            str(self.number),
            self.ids.text,
            str(self.count),
            str(microseconds(self.sealed_at)),
            previous.hex(),
            rows.hex(),
        )
        return sha256(written(head).encode()).digest()


def written(values: Row) -> str:
    """Values one after the other, so that no two sequences read alike."""
    return "".join(["-" if value is None else f"{len(value)}:{value}" for value in values])


def microseconds(moment: datetime) -> int:
    """Since 1970, in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
