"""A walk along the seals of an org, from the first to the newest, with every row that lies on the way.

Rows are read once, in the order of their ids, and given to the seals that name them. Statements are short and
connections are given back at once: others look things up meanwhile, seals are made and old ones purged. So what seems
to be missing is looked for a second time.
"""

import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.id_ranges import IdRanges
from bot.domain.seals import Row, RowsHash, Sealed, microseconds
from bot.domain.seals_chain import NAMED, Chain, Fault, Finding, Stored
from db.engine import Database
from db.queries import audit_seals, audit_verify, outbox
from db.queries.audit_verify import SealRow

OVERDUE: Final = timedelta(minutes=10)
"""After that a row should be in a seal: one is made every minute."""
COUNTED: Final = 10_000
"""Rows without a seal that are counted."""
_ROWS_PER_SEAL: Final = 20
"""Few, when it is guessed how many seals are read with a page of rows."""
_MOST: Final = 100_000
"""More rows than any seal names."""
_LEAST: Final = -(2**63)


@dataclass
class Verified:
    """What a check came to."""

    findings: list[Finding] = field(default_factory=list[Finding])
    rows: int = 0
    """Read and hashed again."""
    seals: int = 0
    """Of these rows."""
    purged: int = 0
    """Seals whose rows retention has removed."""
    since: datetime | None = None
    """When the first seal was made that has its rows."""
    newest: Stored | None = None
    """The last one that was checked."""
    of: int = 0
    """The number of the newest seal when the check began."""
    finished: bool = True
    asked: Stored | None = None
    """The seal that somebody asked for."""
    channel: int | None = None
    """Where seals are posted."""


class Walk:
    """One check; `until` is a monotonic time."""

    def __init__(self, db: Database, org_id: UUID, posted: str, page: int, until: float) -> None:
        self._db, self._org, self._posted, self._until = db, org_id, posted, until
        self._chain = Chain()
        self._rows = _Rows(db, org_id, page)
        self._page = max(1, page // _ROWS_PER_SEAL)
        self._result = Verified(findings=self._chain.findings)
        self._top = 0
        self._unnamed: dict[int, str] = {}
        """Rows below `_top` that no seal has named so far, with their times."""
        self._too_late: list[int] = []
        """Rows that a later seal names, although one of their own time should."""

    async def run(self) -> Verified:
        found = self._result
        async with self._db.read() as session:
            head = await audit_seals.head(session, self._org)
            found.channel = await outbox.channel_for(session, self._org, "audit")
        found.of = head.number
        async for seal in self._seals():
            await self._check(seal)
            self._note(seal)
            if time.monotonic() > self._until:
                found.finished = False
                break
        self._chain.end()
        self._report(Fault.ACTOR_CHANGED, self._rows.moved)
        if found.finished:
            await self._without_seal(head.floor)
            if self._posted and found.asked is None:
                self._chain.findings.append(Finding(Fault.POSTED_UNKNOWN))
        return found

    async def _seals(self) -> AsyncIterator[Stored]:
        after = _LEAST
        while True:
            async with self._db.read() as session:
                page = await audit_verify.page(session, self._org, after, self._page)
            for row in page:
                yield _stored(row)
            if len(page) < self._page:
                return
            after = page[-1].number

    def _note(self, seal: Stored) -> None:
        found = self._result
        found.newest = seal
        if seal.purged_at is not None:
            found.purged += 1
        else:
            found.seals += 1
            found.since = found.since or seal.sealed_at
        if self._posted and (str(seal.number) == self._posted or _has(seal, self._posted)):
            found.asked = seal

    async def _check(self, seal: Stored) -> None:
        if seal.ids is None or not 0 < seal.ids.size <= _MOST:
            self._chain.senseless(seal)
            return
        ids = frozenset(() if seal.purged_at else seal.ids)
        rows = await self._named(list(seal.ids.below(self._top)))
        self._judge_late(rows)
        mine = self._told_apart(rows, ids)
        # a seal that was changed may reach over millions of rows: what is not its own is let go, and the time counts
        async for more in self._rows.below(seal.ids.end):
            mine += self._told_apart(more, ids)
            if time.monotonic() > self._until:
                break
        self._top = max(self._top, seal.ids.end)
        if seal.purged_at:
            await self._purged(seal)
        elif (told := seal.sealed) is None:
            self._chain.senseless(seal)
        elif len(mine) == told.count:
            self._whole(seal, told, mine)
        else:
            await self._again(seal, told)

    def _judge_late(self, rows: Sequence[Row]) -> None:
        """Those that were written long before the last seal was made cannot have been under way still."""
        if self._chain.last:
            due = microseconds(self._chain.last.sealed_at - OVERDUE)
            self._too_late += [_id(row) for row in rows if not _is_after(row[-1] or "", due)]

    def _told_apart(self, rows: Sequence[Row], ids: frozenset[int]) -> list[Row]:
        """The rows with these ids. Others lie between them, and a later seal names them, if any does."""
        mine: list[Row] = []
        for row in rows:
            number = _id(row)
            if number in ids:
                mine.append(row)
                self._unnamed.pop(number, None)
            else:
                self._unnamed[number] = row[-1] or ""
        return mine

    def _whole(self, seal: Stored, told: Sealed, rows: Sequence[Row]) -> None:
        hashed = RowsHash()
        hashed.add(rows)
        self._result.rows += len(rows)
        self._chain.whole(seal, told, hashed.digest)

    async def _again(self, seal: Stored, told: Sealed) -> None:
        """Rows seem to be missing: they may have been committed, or purged, after their neighbours were read."""
        rows = await self._named(list(told.ids))
        async with self._db.read() as session:
            now = await audit_verify.seal(session, self._org, seal.number)
        there = {_id(row) for row in rows}
        missing = [number for number in told.ids if number not in there]
        if not missing:
            self._whole(seal, told, rows)
        elif now is not None and now.purged_at is not None:
            await self._purged(_stored(now))
        else:
            self._result.rows += len(rows)
            self._chain.incomplete(seal, missing)

    async def _purged(self, seal: Stored) -> None:
        """The one before should have been purged as well, perhaps just now."""
        last = self._chain.last
        if last and last.purged_at is None:
            async with self._db.read() as session:
                before = await audit_verify.seal(session, self._org, last.number)
            in_order = before is not None and before.purged_at is not None
        else:
            in_order = True
        self._chain.purged(seal, in_order=in_order, now=clock.now())

    async def _named(self, ids: Sequence[int]) -> list[Row]:
        if not ids:
            return []
        async with self._db.read() as session:
            return await audit_verify.named(session, self._org, ids)

    async def _without_seal(self, floor: int) -> None:
        """A row below `floor` cannot have been late."""
        before = clock.now() - OVERDUE
        due = microseconds(before)
        added = [number for number, at in self._unnamed.items() if number < floor or not _is_after(at, due)]
        added = await self._still_there(sorted({*added, *self._too_late}))
        async with self._db.read() as session:
            waiting = await audit_verify.waiting(session, self._org, self._top, before, COUNTED)
        self._report(Fault.ROWS_ADDED, added)
        self._report(Fault.ROWS_WAITING, waiting)

    def _report(self, fault: Fault, ids: Sequence[int]) -> None:
        if ids:
            self._chain.findings.append(Finding(fault, ids=tuple(ids[:NAMED]), count=len(ids)))

    async def _still_there(self, ids: Sequence[int]) -> list[int]:
        """Those that retention has not removed since they were read."""
        rows = [row for first in range(0, len(ids), COUNTED) for row in await self._named(ids[first : first + COUNTED])]
        return [_id(row) for row in rows]


class _Rows:
    """All rows of an org in the order of their ids, read ahead by the page."""

    def __init__(self, db: Database, org_id: UUID, page: int) -> None:
        self._db, self._org, self._page = db, org_id, page
        self._ahead: list[Row] = []
        self._bound = _LEAST
        self._ended = False
        self.moved: list[int] = []
        """Ids of those that are put down to somebody else than they say."""

    async def below(self, end: int) -> AsyncIterator[list[Row]]:
        """The next ones with a smaller id."""
        while True:
            cut = bisect_left(self._ahead, end, key=_id)
            found, self._ahead = self._ahead[:cut], self._ahead[cut:]
            if found:
                yield found
            if self._ahead or self._ended:
                return
            await self._read()

    async def _read(self) -> None:
        async with self._db.read() as session:
            self._ahead = await audit_verify.rows(session, self._org, self._bound, self._page)
            if self._ahead:
                ends = _id(self._ahead[0]), _id(self._ahead[-1])
                self.moved += await audit_verify.moved(session, self._org, *ends)
        self._ended = len(self._ahead) < self._page
        if self._ahead:
            self._bound = _id(self._ahead[-1]) + 1


def _id(row: Row) -> int:
    return int(row[0] or 0)


def _is_after(microseconds_: str, moment: int) -> bool:
    """Whatever is no number was not written by us, and not just now."""
    return microseconds_.isdigit() and int(microseconds_) > moment


def _has(seal: Stored, posted: str) -> bool:
    return len(posted) > 7 and seal.hash.hex().startswith(posted)


def _stored(row: SealRow) -> Stored:
    try:
        ids = IdRanges.read(row.ids)
    except ValueError:
        ids = None
    return Stored(row.org, row.number, ids, row.count, row.hash, row.sealed_at, row.purged_at, row.rows_hash)
