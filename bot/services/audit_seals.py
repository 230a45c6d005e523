"""Seals over the audit log of each org, made while nobody looks, and posted where the database cannot reach them."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.actors import system
from bot.domain.id_ranges import IdRanges
from bot.domain.seals import BEFORE_THE_FIRST, Row, RowsHash, Sealed
from bot.errors import AppError, Conflict
from bot.services import outbox
from db.engine import Database
from db.queries import audit_posts, audit_seals
from db.queries.audit_seals import Head
from db.uow import Tx

log = logging.getLogger(__name__)

ROWS: Final = 5_000
"""Rows of one seal. A check reads a seal at a time."""
SEALS: Final = 20
"""Seals that one org gets at a time; what is left waits for the next tick, so that every org has its turn."""
POSTED_EVERY: Final = timedelta(minutes=10)
"""At most one message in this time: the newest seal stands for all before it."""
_LOOKED_LATELY: Final = timedelta(minutes=30)
"""So long nobody may have looked for late rows, and those of the last hour are still enough."""
_LAST_NUMBER: Final = 2**63 - 1
"""No seal ever comes there by itself."""
_PAGE: Final = 1_000
"""Rows that are in memory at a time, and hashed without a break."""


class Sealing:
    """Work of the tick. Any number of processes may do it: one of them seals an org."""

    def __init__(self, db: Database, *, rows: int = ROWS, seals: int = SEALS, page: int = _PAGE) -> None:
        self._db = db
        self._rows, self._seals, self._page = rows, seals, page
        self._looked: datetime | None = None
        """When late rows were last looked for in every org; before this process started nobody may have."""
        self._far = True

    async def tick(self) -> dict[str, int]:
        """Seals what no seal names yet, and posts the newest seals."""
        now, last = clock.now(), self._looked
        self._far = last is None or not timedelta() <= now - last < _LOOKED_LATELY
        async with self._db.read() as session:
            orgs = await audit_seals.orgs_with_unsealed(session, far=self._far)
        self._looked = now
        made = [sealed for org in orgs for sealed in await self._org(org)]
        async with self._db.read() as session:
            tell = await audit_posts.orgs_with_news(session)
        return {"seals": len(made), "rows": sum(made), "posted": sum([await self._post(org) for org in tell])}

    async def _org(self, org_id: UUID) -> list[int]:
        """How many rows each of the new seals names. One org that is in trouble keeps no other from its seals."""
        made: list[int] = []
        try:
            while len(made) < self._seals and (rows := await self._seal(org_id, late=not made)):
                made.append(rows)
                if rows < self._rows:
                    break
        except AppError as error:
            log.warning("audit rows of %s wait for their seal: %s", org_id, error.what)
            self._looked = None
        return made

    async def _seal(self, org_id: UUID, *, late: bool) -> int:
        async with self._db.uow(system("audit.seal", org_id)) as tx:
            if not await audit_seals.lock(tx.session, org_id):
                return 0
            head = await audit_seals.head(tx.session, org_id, far=self._far)
            if head.number == _LAST_NUMBER:
                raise Conflict("its newest seal has a number that none can follow; see /audit verify")
            ids, rows = await self._read(tx, org_id, head, late=late)
            if ids:
                await _write(tx, org_id, head, ids, rows)
        return len(ids)

    async def _read(self, tx: Tx, org_id: UUID, head: Head, *, late: bool) -> tuple[list[int], bytes]:
        """The ids of the rows to be sealed, at most one seal's, and the hash of these rows."""
        ids: list[int] = []
        hashed = RowsHash()

        def take(rows: Sequence[Row]) -> None:
            ids.extend(int(row[0] or 0) for row in rows)
            hashed.add(rows)

        if late:
            take(await audit_seals.late(tx.session, org_id, head, self._rows))
        bound = head.top
        while room := min(self._page, self._rows - len(ids)):
            rows = await audit_seals.new(tx.session, org_id, bound, room)
            take(rows)
            if len(rows) < room:
                break
            bound = ids[-1] + 1
        return ids, hashed.digest

    async def _post(self, org_id: UUID) -> bool:
        """Owes the audit channel the newest seal. If the process ends before, the next tick finds it not posted."""
        actor = system("audit.seal", org_id)
        async with self._db.uow(actor) as tx:
            channel = await outbox.channel_for(tx, actor, "audit")
            news = await audit_posts.news(tx.session, org_id)
            if channel is None or news is None or (news.told and news.told > clock.now() - POSTED_EVERY):
                return False
            await outbox.post(
                tx.session,
                org_id=org_id,
                channel_id=channel,
                event_type="audit.seal",
                payload={
                    "first": news.first,
                    "last": news.last,
                    "rows": news.rows,
                    "entry": news.entry,
                    "hash": news.hash.hex(),
                },
                dedupe_key=f"audit.seal:{news.last}",
            )
            await tx.notify(outbox.NOTIFY)
        return True


async def _write(tx: Tx, org_id: UUID, head: Head, ids: Sequence[int], rows: bytes) -> None:
    seal = Sealed(org=org_id, number=head.number + 1, ids=IdRanges.of(ids), count=len(ids), sealed_at=head.now)
    await audit_seals.write(
        tx.session,
        org_id=org_id,
        number=seal.number,
        ids=seal.ids,
        count=seal.count,
        hash=seal.hash(rows, head.hash or BEFORE_THE_FIRST),
        rows=rows,
        sealed_at=seal.sealed_at,
    )
