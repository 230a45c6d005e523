"""Whether a numbered batch of a stream is the next one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cursor:
    """How far a stream has come: the last batch that was written, and when (ms since 1970) its numbering began."""

    generation: int = 0
    last_seq: int = 0


@dataclass(frozen=True)
class Take:
    """Write it; afterwards this is the cursor."""

    cursor: Cursor


@dataclass(frozen=True)
class Known:
    """It was written before, or belongs to a numbering that was given up."""


@dataclass(frozen=True)
class Gap:
    """Batches are missing before it; this one is expected."""

    expected: int


def judge(cursor: Cursor, generation: int, seq: int) -> Take | Known | Gap:
    """What to do with a batch. Writing it in one transaction with its cursor makes every record exactly one row."""
    if generation < cursor.generation:
        return Known()
    last = cursor.last_seq if generation == cursor.generation else 0
    if seq <= last:
        return Known()
    return Take(Cursor(generation, seq)) if seq == last + 1 else Gap(last + 1)
