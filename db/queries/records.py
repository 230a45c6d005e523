"""Records of games' logs: the cursor of a stream, and its rows by COPY."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one
from db.session import Session

# The update changes nothing, but locks the row: two deliveries of one batch are judged one after the other.
_LOCK = text("""/* records.cursor */
    insert into log_cursors (org_id, host_id, server_instance_id, stream, updated_at)
    select s.org_id, s.host_id, s.id, :stream, :now from server_instances s
     where s.id = :server and s.host_id = :host and s.org_id = :org and s.deleted_at is null
    on conflict (host_id, server_instance_id, stream) do update set stream = excluded.stream
    returning generation, last_seq, array(select substr(c.relname, 7) from pg_inherits i join pg_class c on c.oid = i.inhrelid
                                           where i.inhparent = 'logs'::regclass) as days""")

_ADVANCE = text("""/* records.advance */
    update log_cursors set generation = :generation, last_seq = :seq, updated_at = :now
     where org_id = :org and host_id = :host and server_instance_id = :server and stream = :stream""")

_BEGIN_ANEW = text("""/* records.begin_anew */ delete from log_cursors where org_id = :org and host_id = :host""")

_COLUMNS: Final = ("org_id", "server_instance_id", "ts", "level", "message", "received_at")


@dataclass(frozen=True)
class Stream:
    """A stream of a server of this host."""

    org_id: UUID
    host_id: UUID
    server_id: UUID
    name: str

    @property
    def values(self) -> dict[str, object]:
        return {"org": self.org_id, "host": self.host_id, "server": self.server_id, "stream": self.name}


@dataclass(frozen=True)
class Locked:
    """Where a stream is, locked; `days` (YYYYMMDD, UTC) have a partition."""

    generation: int
    last_seq: int
    days: list[str]


@dataclass(frozen=True)
class Line:
    """A record as it is stored."""

    ts: datetime
    level: str
    message: str


async def lock(session: AsyncSession, stream: Stream, now: datetime) -> Locked | None:
    """The stream's cursor. None: the host has no such server."""
    return one(Locked, await session.execute(_LOCK, {**stream.values, "now": now}))


async def advance(session: AsyncSession, stream: Stream, *, generation: int, seq: int, now: datetime) -> None:
    await session.execute(_ADVANCE, {**stream.values, "generation": generation, "seq": seq, "now": now})


async def begin_anew(session: AsyncSession, org_id: UUID, host_id: UUID) -> None:
    """Takes whatever numbering the host comes with: its clock may have been ahead when the one before began."""
    await session.execute(_BEGIN_ANEW, {"org": org_id, "host": host_id})


async def write(session: Session, stream: Stream, lines: Iterable[Line], now: datetime) -> None:
    """Writes the records in the session's transaction."""
    rows = [(stream.org_id, stream.server_id, line.ts, line.level, line.message, now) for line in lines]
    await session.copy("records.copy", "logs", _COLUMNS, rows)
