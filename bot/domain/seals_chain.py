"""Whether seals follow from each other and from their rows, and what is wrong where they do not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from bot.domain.id_ranges import IdRanges
from bot.domain.seals import BEFORE_THE_FIRST, Sealed

KEPT_AT_LEAST: Final = timedelta(days=90)
"""No org can have its audit rows removed earlier."""
NAMED: Final = 10
"""Ids that a finding lists; it counts the others."""


class Fault(Enum):
    """What can be wrong."""

    SEALS_MISSING = "seals are missing"
    SEAL_CHANGED = "a seal itself was changed"
    ROW_CHANGED = "a row was changed, or what the seal says of itself"
    EITHER_CHANGED = "the seal or one of its rows was changed"
    UNCONNECTED = "whether it is genuine cannot be told without the seal before"
    ROWS_MISSING = "rows are missing"
    ROWS_ADDED = "rows are named by no seal that should be"
    ROWS_WAITING = "rows wait for a seal longer than they should"
    ACTOR_CHANGED = "rows are put down to somebody else than they say"
    PURGED_EARLY = "removed before the time"
    POSTED_UNKNOWN = "no seal has the hash that somebody remembers"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, with the seals and rows it is about."""

    fault: Fault
    seals: tuple[int, int] | None = None
    """The first and the last."""
    ids: tuple[int, ...] = ()
    """The first few."""
    count: int = 0


@dataclass(frozen=True)
class Stored:
    """A seal as the database has it. `ids` is None where that is nothing a seal can name."""

    org: UUID
    number: int
    ids: IdRanges | None
    count: int
    hash: bytes
    sealed_at: datetime
    purged_at: datetime | None
    rows: bytes = b""
    """The hash of its rows: all that there is of them when they are gone."""

    @property
    def sealed(self) -> Sealed | None:
        """What it says of itself, where that makes sense."""
        if self.ids is None or self.ids.size != self.count:
            return None
        return Sealed(org=self.org, number=self.number, ids=self.ids, count=self.count, sealed_at=self.sealed_at)


@dataclass
class Chain:
    """Takes seals in order, each with the hash of its rows, and collects what is wrong.

    A seal that does not fit its rows may have been changed itself, or one of its rows may. The next seal was made from
    the genuine one, so it tells which."""

    findings: list[Finding] = field(default_factory=list[Finding])
    last: Stored | None = None
    _before: Sequence[bytes] = (BEFORE_THE_FIRST,)
    """What the seal before may have been: as stored and, where that does not fit, as computed. Empty: unknown."""
    _doubted: Stored | None = None

    def purged(self, seal: Stored, *, in_order: bool, now: datetime) -> None:
        """Takes one whose rows were removed. `in_order`: the one before was purged, too."""
        if (told := seal.sealed) is None:
            self.senseless(seal)
        else:
            self.whole(seal, told, seal.rows)
        # who marks it with a time to come has not waited for that time
        early = seal.purged_at is not None and min(seal.purged_at, now) - seal.sealed_at < KEPT_AT_LEAST
        if early or not in_order:
            self.findings.append(Finding(Fault.PURGED_EARLY, (seal.number, seal.number)))

    def incomplete(self, seal: Stored, missing: Sequence[int]) -> None:
        """Takes one that lacks rows."""
        self._follow(seal)
        self._settle(None)
        ids, count = tuple(missing[:NAMED]), len(missing)
        self.findings.append(Finding(Fault.ROWS_MISSING, (seal.number, seal.number), ids, count))
        self._take(seal, [seal.hash])

    def senseless(self, seal: Stored) -> None:
        """Takes one whose columns contradict each other."""
        self._follow(seal)
        self._settle(None)
        self.findings.append(Finding(Fault.SEAL_CHANGED, (seal.number, seal.number)))
        self._take(seal, [seal.hash])

    def whole(self, seal: Stored, told: Sealed, rows: bytes) -> None:
        """Takes one whose rows are all there, with what it says of itself and the hash of the rows."""
        self._follow(seal)
        made = [told.hash(rows, before) for before in self._before]
        fits = made.index(seal.hash) if seal.hash in made else None
        self._settle(fits)
        if made and fits is None:
            self._take(seal, [seal.hash, made[0]])
            self._doubted = seal
        else:
            self._take(seal, [seal.hash])

    def end(self) -> None:
        """After the last one."""
        self._settle(None)

    def _follow(self, seal: Stored) -> None:
        wanted = self.last.number + 1 if self.last else 1
        if seal.number != wanted:
            self._settle(None)
            self.findings.append(Finding(Fault.SEALS_MISSING, (wanted, seal.number - 1)))
            self.findings.append(Finding(Fault.UNCONNECTED, (seal.number, seal.number)))
            self._before = ()
        elif self.last and seal.sealed_at < self.last.sealed_at:
            self.findings.append(Finding(Fault.SEAL_CHANGED, (seal.number, seal.number)))

    def _settle(self, fits: int | None) -> None:
        """What the next seal tells of a doubted one: it was made from the stored hash (0), or the computed one (1)."""
        if self._doubted is None:
            return
        fault = {0: Fault.ROW_CHANGED, 1: Fault.SEAL_CHANGED, None: Fault.EITHER_CHANGED}[fits]
        seal, self._doubted = self._doubted, None
        if seal.purged_at:  # there is no row of it that could have been changed
            self.findings.append(Finding(Fault.SEAL_CHANGED, (seal.number, seal.number)))
            return
        ids = tuple(number for number, _ in zip(seal.ids or (), range(NAMED), strict=False))
        self.findings.append(Finding(fault, (seal.number, seal.number), ids, seal.count))

    def _take(self, seal: Stored, before: Sequence[bytes]) -> None:
        self.last, self._before = seal, before
