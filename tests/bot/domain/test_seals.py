"""What a seal is a hash of, to the byte: whatever changes here makes every seal that was posted a wrong one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.id_ranges import IdRanges
from bot.domain.seals import BEFORE_THE_FIRST, FIELDS, LEFT_OUT, RowsHash, Sealed, microseconds, written
from bot.domain.seals_chain import Chain, Fault, Stored
from db.models import AuditLog

AT = datetime(2026, 11, 21, 5, 0, 0, 123456, tzinfo=UTC)
SEAL = Sealed(org=UUID(int=7), number=3, ids=IdRanges.of([1, 2, 5]), count=3, sealed_at=AT)
TEXTS = st.lists(st.none() | st.text(max_size=5) | st.sampled_from(["", "-", "1:", "1:a", "ä€𐍈"]), max_size=6)


def test_every_column_is_hashed_or_left_out() -> None:
    """A new column needs a decision; hashed, it needs a form of another name."""
    assert {*FIELDS, *LEFT_OUT} == set(AuditLog.__table__.columns.keys())


def test_values_are_written_with_their_length() -> None:
    assert written(["a", None, "", "1:b", "ä€𐍈"]) == "1:a-0:3:1:b3:ä€𐍈"


@given(TEXTS, TEXTS)
def test_no_two_sequences_read_alike(one: list[str | None], other: list[str | None]) -> None:
    assert (written(one) == written(other)) == (one == other)


def test_the_hash_of_a_seal_is_what_it_was() -> None:
    rows = RowsHash()
    rows.add([["1", None, "user"], ["2", "5", "ä"]])
    assert rows.digest == sha256("1:1-4:user1:21:51:ä".encode()).digest()
    columns = "36:00000000-0000-0000-0000-0000000000071:313:{[1,3),[5,6)}1:316:1795237200123456"
    told = f"18:gamekeeper.audit.1{columns}64:{'0' * 64}64:{rows.digest.hex()}"
    assert SEAL.hash(rows.digest, BEFORE_THE_FIRST) == sha256(told.encode()).digest()
    golden = "02ff84c9aca9abf27c920fe32a323ef52e2653024eb493cdbf4ec883d6a29012"
    assert SEAL.hash(rows.digest, BEFORE_THE_FIRST).hex() == golden


def test_portions_make_no_difference() -> None:
    rows = [[str(number), None] for number in range(10)]
    whole, parts = RowsHash(), RowsHash()
    whole.add(rows)
    for one in rows:
        parts.add([one])
    assert whole.digest == parts.digest


@pytest.mark.parametrize(
    "changed",
    [
        {"org": UUID(int=8)},
        {"number": 4},
        {"ids": IdRanges.of([1, 2, 6])},
        {"count": 2},
        {"sealed_at": AT + timedelta(microseconds=1)},
    ],
)
def test_everything_that_a_seal_says_counts(changed: dict[str, object]) -> None:
    rows, before = bytes(32), BEFORE_THE_FIRST
    made = SEAL.hash(rows, before)
    assert replace(SEAL, **changed).hash(rows, before) != made  # pyright: ignore[reportArgumentType]  # by name
    assert SEAL.hash(b"x" * 32, before) != made != SEAL.hash(rows, b"x" * 32)


def test_time_is_counted_in_whole_microseconds_whatever_its_zone() -> None:
    assert microseconds(AT) == 1_795_237_200_123_456
    assert microseconds(AT.astimezone(timezone(timedelta(hours=-7)))) == microseconds(AT)
    assert microseconds(datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)) == -1


IDS = st.lists(st.integers(-50, 50), unique=True).map(sorted)


@given(IDS, st.integers(-60, 60))
def test_ranges_are_exactly_their_ids(ids: list[int], bound: int) -> None:
    ranges = IdRanges.of(ids)
    assert list(ranges) == ids and ranges.size == len(ids)
    assert IdRanges.read(ranges.text) == ranges
    assert list(ranges.below(bound)) == [number for number in ids if number < bound]
    if ids:
        assert (ranges.first, ranges.last) == (ids[0], ids[-1])


@pytest.mark.parametrize("text", ["{[1,)}", "{(,5)}", "[1,2)", "{[1,2),x}", "", "{[1,2) }", "empty"])
def test_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match="no ranges"):
        IdRanges.read(text)


# --------------------------------------------------------------------------------------------------------------- chain


def link(number: int, before: bytes, **changed: object) -> tuple[Stored, bytes]:
    """A seal with the hash of its rows."""
    rows = sha256(str(number).encode()).digest()
    told = Sealed(org=UUID(int=7), number=number, ids=IdRanges.of([number]), count=1, sealed_at=AT)
    stored = Stored(told.org, number, told.ids, 1, told.hash(rows, before), AT, None)
    return replace(stored, **changed), rows  # pyright: ignore[reportArgumentType]  # by name


def made(count: int) -> list[tuple[Stored, bytes]]:
    links: list[tuple[Stored, bytes]] = []
    for number in range(1, count + 1):
        links.append(link(number, links[-1][0].hash if links else BEFORE_THE_FIRST))
    return links


def judged(links: list[tuple[Stored, bytes]]) -> list[tuple[Fault, int]]:
    chain = Chain()
    for stored, rows in links:
        told = stored.sealed
        assert told is not None
        chain.whole(stored, told, rows)
    chain.end()
    return [(finding.fault, (finding.seals or (0, 0))[0]) for finding in chain.findings]


def test_a_chain_that_holds() -> None:
    assert judged(made(5)) == []


@given(st.integers(2, 8), st.data())
def test_the_next_seal_tells_what_was_changed(count: int, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, count - 1))
    last = place == count - 1
    links = made(count)
    stored, rows = links[place]
    links[place] = (stored, b"x" * 32)
    assert judged(links) == [(Fault.EITHER_CHANGED if last else Fault.ROW_CHANGED, place + 1)]
    links[place] = (replace(stored, hash=b"x" * 32), rows)
    assert judged(links) == [(Fault.EITHER_CHANGED if last else Fault.SEAL_CHANGED, place + 1)]


def test_exchanged_seals() -> None:
    links = made(4)
    (second, rows), (third, more) = links[1], links[2]
    links[1:3] = [(replace(third, number=2), more), (replace(second, number=3), rows)]
    assert [number for _, number in judged(links)] == [2, 3, 4]


def test_a_time_that_runs_backwards() -> None:
    first = made(1)[0]
    told = Sealed(org=UUID(int=7), number=2, ids=IdRanges.of([2]), count=1, sealed_at=AT - timedelta(days=1))
    second = Stored(told.org, 2, told.ids, 1, told.hash(b"", first[0].hash), told.sealed_at, None)
    assert judged([first, (second, b"")]) == [(Fault.SEAL_CHANGED, 2)]
