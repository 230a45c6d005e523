"""Whatever is done to sealed rows and to seals shows."""

import pytest

from bot.domain.seals_chain import Fault
from tests.bot.services.sealed_world import Book
from tests.bot.world import World


@pytest.fixture
async def book(world: World) -> Book:
    """Four seals: of what the world began with, and of three rows each."""
    found = Book(world)
    await found.sealing.tick()
    for _ in range(3):
        await found.seal()
    return found


async def ids_of(book: Book, number: int) -> list[int]:
    rows = await book.world.rows(
        """select a.id from audit_seals s join audit_logs a on s.ids @> a.id
            where s.org_id = :org and s.number = :number order by a.id""",
        org=book.world.org_id,
        number=number,
    )
    return [row[0] for row in rows]


async def test_nothing_was_changed(book: Book) -> None:
    found = await book.verify()
    assert (found.findings, found.finished) == ([], True)
    assert (found.seals, found.rows) == (4, 9 + len(await ids_of(book, 1)))
    assert found.newest and found.newest.number == 4 and found.newest.hash.hex() == await book.hash(4)


@pytest.mark.parametrize(
    "change",
    [
        "action = 'nothing'",
        "outcome = 'denied'",
        'options = \'{{"reason": "other"}}\'',
        "details = '{{\"a\": 1}}'",
        "created_at = created_at - interval '1 microsecond'",
        "created_at = 'infinity'",
        "error = ''",
        "resource_id = 'x'",
        "ip = '192.0.2.1'",
        "actor_discord_id = 5",
        "interaction_id = 5",
        "duration_ms = 0",
    ],
)
async def test_a_changed_row(book: Book, change: str) -> None:
    ids = await ids_of(book, 3)
    await book.tamper(f"update audit_logs set {change} where id = {ids[1]}")
    assert await book.faults() == [(Fault.ROW_CHANGED, (3, 3), tuple(ids))]


async def test_a_removed_row(book: Book) -> None:
    ids = await ids_of(book, 3)
    await book.tamper(f"delete from audit_logs where id = {ids[1]}")
    assert await book.faults() == [(Fault.ROWS_MISSING, (3, 3), (ids[1],))]
