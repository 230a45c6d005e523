"""Batches on disk: each record in one of them, whenever the process ends, and never more than the budget."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from agent import wire
from agent.records_cutting import Cut
from agent.records_spool import Batch, RecordSpool
from agent.runtime.trail import Place, Position

SERVER = uuid4()


def cuts(*messages: str, start: int = 1) -> list[Cut]:
    return [
        Cut(
            wire.LogRecord(ts=datetime.now(UTC), level="info", message=message),
            Position(place=Place(inode=1, offset=n, head=0)),
        )
        for n, message in enumerate(messages, start)
    ]


def begun(directory: Path, **options: int) -> RecordSpool:
    spool = RecordSpool(directory, **options)
    spool.begin(Position())
    return spool


def again(spool: RecordSpool) -> RecordSpool:
    """As the next process finds it."""
    found = RecordSpool(spool.directory)
    found.open()
    return found


def offset(spool: RecordSpool) -> int:
    place = spool.position().place
    return place.offset if place else 0


def drained(spool: RecordSpool) -> list[tuple[int, str]]:
    """All that is to be sent: number of the batch, and message."""
    found: list[tuple[int, str]] = []
    while (batch := spool.head(SERVER)) is not None:
        found += [(batch.seq, record.message) for record in batch.records]
        spool.sent()
    return found


def test_another_process_goes_on_where_this_one_ended(tmp_path: Path) -> None:
    spool = begun(tmp_path)
    spool.add(cuts("a", "b"))
    spool.add(cuts("c", start=3))
    found = again(spool)
    assert (len(found), offset(found)) == (2, 3)
    head = found.head(SERVER)
    assert head and head == spool.head(SERVER)
    found.sent()
    found = again(found)
    assert (len(found), offset(found)) == (1, 3)
    assert drained(found) == [(2, "c")]
    found = again(found)
    assert (len(found), offset(found), found.head(SERVER)) == (0, 3, None)
    found.add(cuts("d", start=4))
    assert drained(found) == [(3, "d")]


def test_it_ends_between_two_files(tmp_path: Path) -> None:
    """The cursor is written first: what it counts is not sent again."""
    spool = begun(tmp_path)
    spool.add(cuts("a"))
    (batch,) = tmp_path.glob("*.batch")
    text = batch.read_text()
    spool.sent()
    batch.write_text(text)
    found = again(spool)
    assert (len(found), batch.exists()) == (0, False)


def test_large_and_many_records_are_several_batches(tmp_path: Path) -> None:
    spool = begun(tmp_path)
    spool.add(cuts(*["x"] * 1200))
    spool.add(cuts(*["\x01" * 16_000] * 5))
    sizes: list[int] = []
    while (batch := spool.head(SERVER)) is not None:
        assert len(batch.model_dump_json(by_alias=True)) < wire.RECORDS_BYTES
        sizes.append(len(batch.records))
        spool.sent()
    assert sizes == [500, 500, 200, 2, 2, 1]


@pytest.mark.parametrize("messages", [10, 60])
def test_beyond_the_budget_the_oldest_are_counted_instead(tmp_path: Path, messages: int) -> None:
    """All but the very oldest, which may be under way."""
    spool = begun(tmp_path, budget=3000)
    for n in range(messages):
        spool.add(cuts(f"{n} " + "x" * 300, start=n + 1))
    assert sum(path.stat().st_size for path in tmp_path.glob("*.batch")) <= 3000
    spool = again(spool)
    assert offset(spool) == messages
    found = drained(spool)
    numbers = [int(text.split()[0]) for _, text in found if "x" in text and "missing" not in text]
    (gap,) = [text for _, text in found if "missing" in text]
    assert numbers[0] == 0 and numbers[1:] == list(range(numbers[1], messages))
    assert gap.startswith(f"({numbers[1] - 1} records are missing")
    assert [seq for seq, _ in found] == list(range(1, len(found) + 1))


def test_another_number_is_expected(tmp_path: Path) -> None:
    spool = begun(tmp_path)
    spool.add(cuts("a"))
    spool.expect(7)
    assert drained(again(spool)) == [(7, "a")]


def test_what_the_bot_will_not_have_leaves_no_gap(tmp_path: Path) -> None:
    spool = begun(tmp_path)
    spool.add(cuts("a"))
    spool.add(cuts("b"))
    spool.sent(numbered=False)
    assert drained(spool) == [(1, "b")]


@pytest.mark.parametrize("name", ["cursor.json", "000000000001.batch"])
def test_a_damaged_file_ends_nothing(tmp_path: Path, name: str) -> None:
    spool = begun(tmp_path)
    spool.add(cuts("a"))
    spool.add(cuts("b"))
    (tmp_path / name).write_text("{")
    found = again(spool)
    if found.begun:
        assert drained(found) == [(1, "b")]
    else:
        found.begin(Position())
        assert drained(found) == []


def test_a_full_disk_is_not_hidden(tmp_path: Path) -> None:
    spool = begun(tmp_path / "records")
    spool.directory.chmod(0o700)
    for path in spool.directory.glob("*"):
        path.unlink()
    spool.directory.rmdir()
    with pytest.raises(OSError, match="No such file"):
        spool.add(cuts("a"))
    assert len(spool) == 0


def test_batches_are_strict() -> None:
    assert Batch(position=Position(), records=[]).dropped == 0
