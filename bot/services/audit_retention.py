"""Audit rows go when their org keeps them no longer: seal by seal, so that the seals that stay still prove theirs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from bot import clock
from bot.domain.actors import system
from db.engine import Database
from db.queries import audit_purge
from db.queries.audit_purge import Due, OldSeal

LOOSE_DAYS: Final = 365
"""How long rows are kept that belong to no org, or to one that was purged."""
_BATCH: Final = 5_000
_SEALS: Final = 200


class AuditRetention:
    """Work of a tick; each transaction is short, and any number of processes may do it."""

    def __init__(self, db: Database, *, batch: int = _BATCH) -> None:
        self._db = db
        self._batch = batch

    async def tick(self) -> dict[str, int]:
        """Removes what was kept long enough."""
        async with self._db.read() as session:
            due = await audit_purge.due(session, clock.now(), LOOSE_DAYS)
        removed = [batch for one in due for batch in await self._org(one)]
        seals, rows = sum(seals for seals, _ in removed), sum(rows for _, rows in removed)
        return {"seals": seals, "rows": rows, "loose": await self._loose()}

    async def _org(self, due: Due) -> list[tuple[int, int]]:
        """How many seals and rows of an org went with each batch."""
        removed: list[tuple[int, int]] = []
        while batch := await self._seals(due):
            removed.append(batch)
        return removed

    async def _seals(self, due: Due) -> tuple[int, int] | None:
        async with self._db.uow(system("audit.retention", due.org_id)) as tx:
            if not await audit_purge.lock(tx.session, due.org_id):
                return None
            going = self._going(await audit_purge.oldest(tx.session, due, _SEALS))
            if not going:
                return None
            first, last = going[0].number, going[-1].number
            return len(going), await audit_purge.remove(tx.session, due.org_id, first, last, clock.now())

    def _going(self, oldest: Sequence[OldSeal]) -> list[OldSeal]:
        """The first of them, up to a batch of rows. One with a younger row keeps those after it."""
        going: list[OldSeal] = []
        room = self._batch
        for seal in oldest:
            if seal.young or (going and seal.rows > room):
                break
            going.append(seal)
            room -= seal.rows
        return going

    async def _loose(self) -> int:
        before, total = clock.now() - timedelta(days=LOOSE_DAYS), 0
        while True:
            async with self._db.uow(system("audit.retention")) as tx:
                removed = await audit_purge.remove_loose(tx.session, before, self._batch)
            total += removed
            if removed < self._batch:
                return total
