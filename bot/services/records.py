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
                    return await self._write(tx, stream, batch, set(locked.days))

    async def _write(self, tx: Tx, stream: Stream, batch: wire.Records, days: set[str]) -> int:
        now = clock.now()
        lines = [
            Line(_storable_time(record.ts, now, days), record.level, _fitting(record.message))
            for record in batch.records
        ]
        await records.write(tx.session, stream, lines, now)
        await records.advance(tx.session, stream, generation=batch.generation, seq=batch.seq, now=now)
        await alert_counts.count(tx, stream.org_id, stream.server_id, [(line.ts, line.message) for line in lines])
        return len(lines)


def _storable_time(ts: datetime, now: datetime, days: set[str]) -> datetime:
    """The time of receipt for what a wrong clock says, and for days that the bot was not here to prepare for."""
    told = ts.year > 1 and ts <= now  # the year 1 may begin before any that UTC has
    return ts if told and f"{ts.astimezone(UTC):%Y%m%d}" in days else now


def _fitting(message: str) -> str:
    """At most `wire.MESSAGE_BYTES`, and nothing that PostgreSQL cannot store."""
    data = storable(message).encode()
    if len(data) <= wire.MESSAGE_BYTES:
        return data.decode()
    return data[: wire.MESSAGE_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT
