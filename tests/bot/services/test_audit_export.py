"""The audit log as a file: safe to be opened, the same every time, and never larger than Discord takes."""

import asyncio
import csv
import gzip
import io
import json
import random
import tempfile
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import clock
from bot.domain.actors import Actor
from bot.errors import Invalid, NotPermitted
from bot.services.attachments import written
from bot.services.audit_export import BATCH, COLUMNS, AuditExport, cell, csv_rows
from tests.bot.people import again
from tests.bot.ui import samples
from tests.bot.world import World

NASTY = '=HYPERLINK("http://evil.example")\n"quoted", and; so \u202e on'


@pytest.fixture
def export(world: World) -> AuditExport:
    return AuditExport(world.db)


async def fill(world: World, rows: int, *, reason: str = NASTY) -> None:
    """Rows of the last days, one a minute."""
    await world.rows(
        """insert into audit_logs (org_id, action, outcome, resource_type, options, created_at)
           select :org, 'server.restart', 'success', 'server',
                  jsonb_build_object('n', n, 'reason', cast(:reason as text)),
                  cast(:now as timestamptz) - make_interval(mins => :rows - n) from generate_series(1, :rows) n""",
        org=world.org_id,
        reason=reason,
        rows=rows,
        now=clock.now(),
    )


def taking(actor: Actor, limit: int) -> Actor:
    """The same person, where Discord takes files of this size."""
    assert actor.invocation
    return replace(actor, invocation=replace(actor.invocation, file_limit=limit))


async def test_a_table_holds_every_row_and_no_formula(world: World, export: AuditExport) -> None:
    await fill(world, BATCH + 5)
    made = await export.export(world.admin(), "csv", None, None)
    content = made.file.content.read()
    assert made.file.name.endswith(".csv") and len(content) == made.file.size
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert len(table) == made.rows and tuple(table[0]) == COLUMNS
    numbers = [int(row["id"]) for row in table]
    assert numbers == sorted(numbers), "oldest first"
    restarts = [json.loads(row["options"]) for row in table if row["action"] == "server.restart"]
    assert [row["n"] for row in restarts] == list(range(1, BATCH + 6))
    assert restarts[0]["reason"] == NASTY, "line ends and quotes arrive as they were"


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "＝1", "\xa0=1", "\ufeff@A"]
)
def test_what_a_spreadsheet_would_run_is_text(value: str) -> None:
    assert cell(value) == f"'{value}"
    (row,) = csv.reader(io.StringIO(csv_rows([samples.entry(value, error=value)]).decode(), newline=""))
    assert row[COLUMNS.index("error")] == f"'{value}"


async def test_json_is_the_same_every_time(world: World, export: AuditExport) -> None:
    await fill(world, 2 * BATCH)
    until = clock.now() - timedelta(minutes=2)
    first = (await export.export(world.admin(), "json", None, until)).file.content.read()
    second = (await export.export(world.admin(), "json", None, until)).file.content.read()
    assert first == second
    assert {row["action"] for row in json.loads(first)} == {"server.restart"}


async def test_an_empty_log_is_a_file_too(world: World, export: AuditExport) -> None:
    long_ago = clock.now() - timedelta(days=400)
    made = await export.export(world.admin(), "json", long_ago - timedelta(days=1), long_ago)
    assert json.loads(made.file.content.read()) == [] and made.rows == 0


async def test_since_and_until(world: World, export: AuditExport) -> None:
    await fill(world, 600)
    now = clock.now()
    made = await export.export(world.admin(), "json", now - timedelta(hours=9), now - timedelta(hours=8))
    numbers = [row["options"]["n"] for row in json.loads(made.file.content.read())]
    assert len(numbers) == made.rows == 60 and numbers == list(range(numbers[0], numbers[0] + 60))
    with pytest.raises(Invalid, match="not after the beginning"):
        await export.export(world.admin(), "json", now - timedelta(hours=1), now - timedelta(hours=2))


async def test_that_it_was_taken_is_an_entry(world: World, export: AuditExport) -> None:
    await export.export(world.admin(), "csv", None, None)
    ((details,),) = await world.rows("select details from audit_logs where action = 'audit.export'")
    assert details["format"] == "csv" and details["rows"] == 1 and details["bytes"] > 100


async def test_it_needs_its_own_permission(world: World, export: AuditExport) -> None:
    with pytest.raises(NotPermitted):
        await export.export(world.member(), "csv", None, None)


async def test_too_large_is_compressed_then_refused(world: World, export: AuditExport) -> None:
    await fill(world, 3000)
    actor = world.admin()
    made = await export.export(taking(actor, 100_000), "csv", None, None)
    assert made.file.name.endswith(".csv.gz") and made.file.size <= 100_000
    whole = gzip.decompress(made.file.content.read()).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(whole, newline="")))) == made.rows + 1
    with pytest.raises(Invalid) as refused:
        await export.export(taking(again(actor), 2_000), "csv", None, None)
    assert "even compressed" in refused.value.what and refused.value.remedy == "Choose a shorter time."


async def pieces(count: int, size: int, seen: list[int]) -> AsyncIterator[bytes]:
    """Noise, which nothing makes smaller."""
    noise = random.Random(1)
    for number in range(count):
        seen.append(number)
        yield noise.randbytes(size)


async def test_a_file_ends_as_soon_as_it_cannot_fit() -> None:
    seen: list[int] = []
    with pytest.raises(Invalid, match="1 MiB"):
        await written("x", pieces(1000, 2**18, seen), 2**20)
    assert len(seen) < 10


async def test_memory_does_not_grow_with_the_file() -> None:
    tracemalloc.start()
    try:
        made = await written("x", pieces(100, 2**18, []), 2**28)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert made.size == 100 * 2**18 and peak < 8 * 2**20


async def test_a_cancelled_export_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.001)

    writing = asyncio.create_task(written("x", endless(), 2**20))
    await asyncio.sleep(0.05)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert list(tmp_path.iterdir()) == []
