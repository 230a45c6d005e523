"""Starts again what should always run and is stopped. Any number of processes may look.

Only where nobody else will: a crashed game is its host's affair, one that is held or in maintenance is left alone, and
whoever stops a server through the bot wants it stopped.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from agent import wire
from bot import clock
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.errors import Conflict
from bot.services.each import each
from bot.services.jobs_enqueue import enqueue
from db.engine import Database
from db.queries import power_drift
from db.queries.rest import left_alone
from db.uow import Tx

PATIENCE: Final = timedelta(minutes=1)
"""So long it has to be stopped: what people want reaches its host within it."""
LONGEST_PAUSE: Final = timedelta(hours=1)
_RECENT: Final = timedelta(hours=6)
_BATCH: Final = 50
_FIRST: Final = UUID(int=0)
_DUTY: Final = "jobs.reconcile"


def pause(tries: int) -> timedelta:
    """The wait after so many starts of late: 1 minute, 2, 4 … at most an hour."""
    return min(timedelta(minutes=2 ** min(max(tries - 1, 0), 10)), LONGEST_PAUSE) if tries else timedelta()


class Reconciler:
    """The tick `jobs.reconcile`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._looked_at = _FIRST

    async def tick(self) -> dict[str, int]:
        """Gives each of them a start; with very many, the next ones by turns: most of them may be left alone."""
        now = clock.now()
        async with self._db.read() as session:
            found = await power_drift.ids(session, now - PATIENCE, now, self._looked_at, _BATCH)
        self._looked_at = found[-1] if len(found) == _BATCH else _FIRST
        # passed over: somebody's own action came in between
        started = await each(found, lambda server_id: self._one(server_id, now), passed_over=(Conflict,))
        return {"started": sum(started)}

    async def _one(self, server_id: UUID, now: datetime) -> bool:
        async with self._db.uow(system(_DUTY)) as tx:
            return await self._start(tx, server_id, now)

    async def _start(self, tx: Tx, server_id: UUID, now: datetime) -> bool:
        server = await power_drift.hold(tx.session, server_id, since=now - PATIENCE, recent=now - _RECENT, now=now)
        if server is None or (server.tried_at and now < server.tried_at + pause(server.tries)):
            return False
        if await left_alone(tx.session, server.org_id, [server.id], now):
            return False
        tx.actor = system(_DUTY, server.org_id, server.guild_id)
        job = await enqueue(
            tx,
            type=JobType.SERVER_START,
            server_id=server.id,
            host_id=server.host_id,
            params=wire.ServerStart(),
            dedupe_key=f"power:{server.id}",
            source="reconcile",
        )
        reason = "it should always run, and is stopped"
        tx.audit(
            "server.reconcile", resource=("server", server.id), jobId=str(job.id), number=job.number, reason=reason
        )
        return True
