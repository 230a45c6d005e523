"""Keeps the queue small: what ended a week ago is kept elsewhere, and found there all the same."""

from datetime import timedelta
from typing import Final

from bot import clock
from bot.domain.actors import system
from db.engine import Database
from db.queries import jobs_archive

KEPT_IN_QUEUE: Final = timedelta(days=7)
"""As long as an agent remembers its runs: until then a late result may come."""
_BATCH: Final = 5_000


class JobArchive:
    """The tick `jobs.archive`; any number of processes may do it."""

    def __init__(self, db: Database, *, batch: int = _BATCH) -> None:
        self._db = db
        self._batch = batch

    async def tick(self) -> dict[str, int]:
        """Moves what is due, a transaction for each batch."""
        total = 0
        while True:
            async with self._db.uow(system("jobs.archive")) as tx:
                moved = await jobs_archive.move(tx.session, clock.now() - KEPT_IN_QUEUE, self._batch)
            total += moved
            if moved < self._batch:
                return {"archived": total}
