"""Batches of a server's records on disk, from the moment that their lines are read until the bot has them.

A batch holds the position in the log behind it, so that a line is in exactly one batch whenever this process ends. The
oldest batch is the only one that may be under way and has the number after `acknowledged`; the others are numbered when
their turn comes, so that dropping some of them leaves no gap.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent import wire
from agent.files import make_private, write_private
from agent.records_cutting import Cut
from agent.runtime.trail import Position

log = logging.getLogger(__name__)

BUDGET: Final = 16 << 20
"""Bytes that one server's batches may take; beyond that the oldest are dropped, and how many is said instead."""
_BATCH_BYTES: Final = wire.RECORDS_BYTES - 4096
_CURSOR: Final = "cursor.json"
_ENDING: Final = ".batch"


class Batch(BaseModel):
    """Some records, and the position in the log behind them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    position: Position
    records: list[wire.LogRecord]
    dropped: int = 0
    """How many records this one stands for."""


class Cursor(BaseModel):
    """What the bot has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    generation: int
    """When the numbering began, in ms since 1970."""
    acknowledged: int = 0
    """Number of the last batch that the bot has."""
    last: int = 0
    """Name of that batch here."""
    position: Position


class RecordSpool:
    """The batches of one server. Methods block for as long as the disk takes; not for two threads at once."""

    def __init__(self, directory: Path, *, budget: int = BUDGET) -> None:
        self.directory = directory
        self._budget = budget
        self._sizes: dict[int, int] = {}
        self._cursor: Cursor | None = None

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def roomy(self) -> bool:
        """Is less than half of the budget used?"""
        return 2 * sum(self._sizes.values()) < self._budget

    @property
    def begun(self) -> bool:
        """Is it known where in the log to go on?"""
        return self._cursor is not None

    def open(self) -> None:
        """Find what an earlier process left. Damaged, it is as good as none."""
        try:
            self._cursor = Cursor.model_validate_json((self.directory / _CURSOR).read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError):
            log.error("%s cannot be read; its records begin anew", self.directory)
            return
        for path in sorted(self.directory.glob(f"*{_ENDING}")):
            if int(path.stem) <= self._cursor.last:
                path.unlink()
            else:
                self._sizes[int(path.stem)] = path.stat().st_size

    def begin(self, position: Position) -> None:
        """Count from 1, with what comes after this position."""
        shutil.rmtree(self.directory, ignore_errors=True)
        make_private(self.directory)
        self._sizes.clear()
        self._keep(Cursor(generation=int(datetime.now(UTC).timestamp() * 1000), position=position))

    def position(self) -> Position:
        """Behind the newest record that is kept here or was sent."""
        newest = self._load(max(self._sizes)) if self._sizes else None
        return (newest or self._known).position

    def add(self, cuts: Sequence[Cut]) -> None:
        """Keep these records. Raises `OSError`; then some of them are not kept, nor any after them."""
        for part in _parts(cuts):
            records = [cut.record for cut in part]
            self._write(1 + max(self._sizes, default=self._known.last), Batch(position=part[-1].end, records=records))
        while sum(self._sizes.values()) > self._budget and len(self._sizes) > 3:
            self._drop()

    def give_up(self, position: Position) -> None:
        """Go on behind what was not read, and say so. Raises `OSError`."""
        message = "(what the game logged before this start is missing here: it was too much to be read in time)"
        self.add([Cut(wire.LogRecord(ts=datetime.now(UTC), level="warn", message=message), position)])

    def head(self, server_id: UUID) -> wire.Records | None:
        """What to send next."""
        while self._sizes:
            if (batch := self._load(min(self._sizes))) is not None:
                return wire.Records(
                    server_id=server_id,
                    stream="log",
                    generation=self._known.generation,
                    seq=self._known.acknowledged + 1,
                    records=batch.records,
                )
            self._remove(min(self._sizes))
        return None

    def sent(self, *, numbered: bool = True) -> None:
        """Done with the head: the bot has it, or (not `numbered`) will not have it."""
        oldest, known = min(self._sizes), self._known
        batch = self._load(oldest)
        position = batch.position if batch else known.position
        acknowledged = known.acknowledged + numbered
        self._keep(known.model_copy(update={"acknowledged": acknowledged, "last": oldest, "position": position}))
        self._remove(oldest)

    def expect(self, seq: int) -> None:
        """The bot wants the head under this number."""
        self._keep(self._known.model_copy(update={"acknowledged": seq - 1}))

    def remove(self) -> None:
        """Forget everything."""
        self._cursor = None
        self._sizes.clear()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _known(self) -> Cursor:
        assert self._cursor is not None, "nothing was begun"
        return self._cursor

    def _drop(self) -> None:
        """Give up the oldest batch that is surely not under way, or add one more to those given up already."""
        _head, second, third, *_ = sorted(self._sizes)
        first = self._load(second)
        gone = third if first is not None and first.dropped else second
        batch = self._load(gone)
        number = (first.dropped if first else 0) + (len(batch.records) if batch else 0)
        position = (batch or self._known).position
        self._write(second, Batch(position=position, records=[_gap(number)], dropped=number))
        if gone != second:
            self._remove(gone)

    def _write(self, number: int, batch: Batch) -> None:
        text = batch.model_dump_json()
        write_private(self._path(number), text)
        self._sizes[number] = len(text)

    def _load(self, number: int) -> Batch | None:
        try:
            return Batch.model_validate_json(self._path(number).read_bytes())
        except (OSError, ValidationError):
            log.error("%s cannot be read; its records are lost", self._path(number))
            return None

    def _keep(self, cursor: Cursor) -> None:
        write_private(self.directory / _CURSOR, cursor.model_dump_json())
        self._cursor = cursor

    def _remove(self, number: int) -> None:
        self._path(number).unlink(missing_ok=True)
        del self._sizes[number]

    def _path(self, number: int) -> Path:
        return self.directory / f"{number:012d}{_ENDING}"


def _parts(cuts: Sequence[Cut]) -> Iterator[list[Cut]]:
    """As many as one batch may hold."""
    part: list[Cut] = []
    size = 0
    for cut in cuts:
        more = len(json.dumps(cut.record.dump())) + 2
        if part and (size + more > _BATCH_BYTES or len(part) == wire.RECORDS_MAX):
            yield part
            part, size = [], 0
        part.append(cut)
        size += more
    if part:
        yield part


def _gap(number: int) -> wire.LogRecord:
    message = f"({number} records are missing here: the bot could not be reached for too long)"
    return wire.LogRecord(ts=datetime.now(UTC), level="warn", message=message)
