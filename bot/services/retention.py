"""What time takes away: old rows, orgs that were left, and the day partitions that have to be there in time."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import system
from db.engine import Database
from db.queries import orgs_purge, partitions, retention
from db.queries.orgs_purge import Gone

KEPT: Final[Mapping[str, timedelta]] = {
    "cron_runs": timedelta(days=14),
    "pairing_tokens": timedelta(days=7),
    "pending_confirmations": timedelta(days=1),
    "notification_jobs": timedelta(days=30),
    "rejected_mods": timedelta(days=14),
    "jobs": timedelta(days=90),
    "power_plans": timedelta(days=90),
    "maintenance_windows": timedelta(days=90),
    "player_ips": timedelta(days=30),
    "job_ips": timedelta(days=30),
    "archived_ips": timedelta(days=30),
    "alert_firings": timedelta(days=90),
    "alert_counts": timedelta(days=2),
}
"""What is deleted, and after how long."""
EVENT_DAYS: Final = 90
"""How long events are kept; log lines as long as their guild wants."""
ORG_KEPT: Final = timedelta(days=30)
"""How long an org is kept after its guild has removed the bot."""
_BATCH: Final = 5_000
_ORGS: Final = 20


class Retention:
    """Work of the ticks; each statement is short, and any number of processes may do it."""

    def __init__(self, db: Database, *, batch: int = _BATCH) -> None:
        self._db = db
        self._batch = batch

    async def partitions(self) -> dict[str, int]:
        """Makes the day partitions of the coming week."""
        async with self._db.uow(system("partitions")) as tx:
            return {"made": len(await partitions.ensure_partitions(tx.session, clock.now().date()))}

    async def old_rows(self) -> dict[str, int]:
        """Deletes what has been kept long enough, batch by batch."""
        return {what: await self._delete(what, clock.now() - kept) for what, kept in KEPT.items()}

    async def streams(self) -> dict[str, int]:
        """Drops the days of the streams that nobody keeps, and deletes the log lines that their guild does not."""
        now = clock.now()
        async with self._db.read() as session:
            shortest, longest = await retention.log_days(session)
            days = await partitions.existing(session, "logs")
        dropped = 0
        for stream, kept in (("events", EVENT_DAYS), ("logs", longest)):
            async with self._db.uow(system("retention")) as tx:
                dropped += len(await partitions.drop(tx.session, stream, (now - timedelta(days=kept)).date()))
        oldest, newest = (now - timedelta(days=longest)).date(), (now - timedelta(days=shortest)).date()
        lines = [await self._lines(name, now) for name, day in days.items() if oldest <= day <= newest]
        return {"partitions": dropped, "lines": sum(lines)}

    async def _lines(self, partition: str, now: datetime) -> int:
        return await self._in_batches(lambda session: retention.delete_lines(session, partition, now, self._batch))

    async def _delete(self, what: str, before: datetime) -> int:
        return await self._in_batches(lambda session: retention.delete_old(session, what, before, self._batch))

    async def _in_batches(self, delete: Callable[[AsyncSession], Awaitable[int]]) -> int:
        """Deletes, a transaction for each batch, until one is not full; how many rows in all."""
        total = 0
        while True:
            async with self._db.uow(system("retention")) as tx:
                deleted = await delete(tx.session)
            total += deleted
            if deleted < self._batch:
                return total

    async def left_orgs(self) -> dict[str, int]:
        """Purges the orgs that were left more than 30 days ago. Their audit rows stay."""
        before = clock.now() - ORG_KEPT
        async with self._db.read() as session:
            gone = await orgs_purge.due(session, before, _ORGS)
        return {"purged": sum([await self._purge(org, before) for org in gone])}

    async def _purge(self, org: Gone, before: datetime) -> bool:
        """The streams first, day by day, then the rest at once. If it ends in between, the next tick goes on."""
        async with self._db.read() as session:
            names = {stream: await partitions.existing(session, stream) for stream in partitions.STREAMS}
        deleted = dict.fromkeys(names, 0)
        for stream, name in ((stream, name) for stream, days in names.items() for name in days):
            async with self._db.uow(system("orgs.purge")) as tx:
                if not await orgs_purge.lock(tx.session, org.id, before):
                    return False
                deleted[stream] += await orgs_purge.delete_of_stream(tx.session, name, org.id)
        async with self._db.uow(system("orgs.purge", guild_id=org.guild_id)) as tx:
            if not await orgs_purge.lock(tx.session, org.id, before):
                return False
            await orgs_purge.delete(tx.session, org.id)
            tx.audit("org.purge", resource=("org", org.id), guild=org.name, **deleted)
        return True

    async def record(
        self, name: str, status: Literal["success", "failure"], started: datetime, seconds: float, meta: dict[str, Any]
    ) -> None:
        """The row of a tick that did something, or failed."""
        async with self._db.uow(system("ticks")) as tx:
            await retention.write_cron_run(
                tx.session,
                name=name,
                status=status,
                started=started,
                duration_ms=round(seconds * 1000),
                meta=meta,
                now=clock.now(),
            )
