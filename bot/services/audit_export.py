"""The audit log as a file: row by row from the database to the disk, never all of it in memory."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal

from bot import clock
from bot.domain.actors import Actor
from bot.errors import Invalid
from bot.services.attachments import Attachment, written
from bot.services.audit import sight_of
from db.engine import Database
from db.queries import audit
from db.queries.audit import AuditEntry, Filter

Format = Literal["csv", "json"]
BATCH: Final = 1_000
"""Rows of one statement: far from any time limit, and some 2 MB in memory."""
COLUMNS: Final = tuple(field.name for field in fields(AuditEntry) if field.name != "guild")
# The mark at the beginning tells spreadsheets that it is UTF-8
_CSV_HEAD: Final = "\ufeff".encode() + (",".join(COLUMNS) + "\r\n").encode()
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The wide ones, too: some spreadsheets read them as the others."""


@dataclass(frozen=True)
class Export:
    """A file and what is in it."""

    file: Attachment
    rows: int
    since: datetime | None
    until: datetime


class AuditExport:
    """`/audit export`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def export(self, actor: Actor, kind: Format, since: datetime | None, until: datetime | None) -> Export:
        """Entries from `since` until `until` (now), oldest first. That they were taken is an entry, too.

        Raises:
            NotPermitted.
            Invalid: the end is before the beginning, or the file is too large for Discord.
        """
        now = clock.now()
        end = min(until or now, now)
        if since and since >= end:
            raise Invalid("The end is not after the beginning.", "`since` is the earlier one, such as `7d`.")
        async with self._db.uow(actor) as tx:
            await tx.require("audit.export")
        pages = _Pages(self._db, actor, Filter(since=since, until=end))
        limit = actor.invocation.file_limit if actor.invocation else 0
        file = await written(f"audit-{end:%Y-%m-%d}.{kind}", _encoded(pages, kind), limit)
        async with self._db.uow(actor) as tx:
            await tx.require("audit.export")
            facts = {"format": kind, "rows": pages.rows, "bytes": file.size}
            tx.audit("audit.export", resource=("org", actor.org), **facts, since=_iso(since), until=_iso(end))
        return Export(file, pages.rows, since, end)


class _Pages:
    """The rows of an export, as many as one statement gives at a time."""

    def __init__(self, db: Database, actor: Actor, wanted: Filter) -> None:
        self._db, self._actor, self._wanted = db, actor, wanted
        self.rows = 0

    async def __aiter__(self) -> AsyncIterator[Sequence[AuditEntry]]:
        sight, after = sight_of(self._actor, "audit.export"), 0
        while True:
            async with self._db.read() as session:
                rows = await audit.page(session, self._actor.org, self._wanted, sight, after=after, limit=BATCH)
            if rows:
                self.rows += len(rows)
                after = rows[-1].id
                yield rows
            if len(rows) < BATCH:
                return


async def _encoded(pages: _Pages, kind: Format) -> AsyncIterator[bytes]:
    head, encode, tail = (_CSV_HEAD, csv_rows, b"") if kind == "csv" else (b"[", json_rows, b"\n]\n")
    yield head
    first = True
    async for rows in pages:
        yield await asyncio.to_thread(encode, rows, first=first)
        first = False
    yield tail


def json_rows(rows: Iterable[AuditEntry], *, first: bool) -> bytes:
    """Elements of an array, one a line; `first`: nothing comes before them."""
    lines = [json.dumps(plain(row), ensure_ascii=False) for row in rows]
    return (("\n" if first else ",\n") + ",\n".join(lines)).encode()


def csv_rows(rows: Iterable[AuditEntry], **_: bool) -> bytes:
    """Lines of a table."""
    out = io.StringIO()
    write = csv.writer(out).writerow
    for row in rows:
        write([cell(value) for value in plain(row).values()])
    return out.getvalue().encode()


def plain(row: AuditEntry) -> dict[str, Any]:
    """An entry by column, its time in UTC."""
    return {name: _iso(row.at) if name == "at" else getattr(row, name) for name in COLUMNS}


def cell(value: Any) -> str:
    """A value in a table. What a spreadsheet would take for a formula gets an apostrophe, which it does not show."""
    if value is None:
        return ""
    words = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return f"'{words}" if words.lstrip(" \xa0\u3000\ufeff").startswith(_FORMULA) else words


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
