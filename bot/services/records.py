"""Records of games' logs, as hosts stream them: every one of them exactly once, whatever is sent again."""

from datetime import UTC, datetime
from typing import Final

from agent import wire
from bot import clock
from bot.domain.streams import Cursor, Gap, Known, judge
from bot.domain.words import storable
from bot.errors import AppError, NotFound
from bot.services import alert_counts
from bot.services.agents import HostIdentity
from db.engine import Database
from db.queries import records
from db.queries.records import Line, Stream
from db.uow import Tx

_CUT: Final = " … (cut)"


class OutOfStep(AppError):
    """A batch is missing before this one."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"Batch {expected} is expected.", "Send it first.")
        self.expected = expected


class Records:
    """Takes batches in, one transaction each: the rows, and how far the stream has come."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def take(self, host: HostIdentity, batch: wire.Records) -> int:
        """Writes a batch unless it is known already; how many records were written.

        Raises:
            NotFound: the host has no such server.
            OutOfStep: another batch comes first.
        """
        stream = Stream(host.org_id, host.id, batch.server_id, batch.stream)
        async with self._db.uow(host.actor) as tx:
            locked = await records.lock(tx.session, stream, clock.now())
            if locked is None:
                raise NotFound("This host has no such server.", "Stop sending its records.")
            match judge(Cursor(locked.generation, locked.last_seq), batch.generation, batch.seq):
                case Known():
                    return 0
                case Gap(expected):
                    raise OutOfStep(expected)
                case _:
                    return await self._write(tx, stream, batch, _start_of(locked.oldest_day))

    async def _write(self, tx: Tx, stream: Stream, batch: wire.Records, oldest: datetime) -> int:
        now = clock.now()
        lines = [
            Line(record.ts if oldest <= record.ts <= now else now, record.level, _fitting(record.message))
            for record in batch.records
        ]
        await records.write(tx.session, stream, lines, now)
        await records.advance(tx.session, stream, generation=batch.generation, seq=batch.seq, now=now)
        await alert_counts.count(tx, stream.org_id, stream.server_id, [(line.ts, line.message) for line in lines])
        return len(lines)


def _start_of(day: str | None) -> datetime:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) if day else datetime.max.replace(tzinfo=UTC)


def _fitting(message: str) -> str:
    """At most `wire.MESSAGE_BYTES`, and nothing that PostgreSQL cannot store."""
    data = storable(message).encode()
    if len(data) <= wire.MESSAGE_BYTES:
        return data.decode()
    return data[: wire.MESSAGE_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT
