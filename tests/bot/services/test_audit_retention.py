"""Audit rows go in whole seals, and what stays still proves itself."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from bot import clock
from bot.domain.seals_chain import Fault
from bot.services.audit_retention import AuditRetention
from bot.services.audit_verify import AuditVerify
from bot.services.identity import Identity
from bot.services.retention import Retention
from tests.bot.services.sealed_world import Book
from tests.bot.world import World

Later = Callable[[float], None]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Later:
    """Moves business time by days; PostgreSQL's stays."""
    real = clock.now

    def move(days: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(days=days))

    return move


@pytest.fixture
async def book(world: World) -> Book:
    """With everything sealed that the world began with, and two more seals."""
    found = Book(world)
    await found.sealing.tick()
    for _ in range(2):
        await found.seal()
    return found


async def count(world: World) -> int:
    return await world.value("select count(*) from audit_logs where org_id = :org", org=world.org_id)


async def test_nothing_goes_before_its_time(book: Book, later: Later) -> None:
    before = await count(book.world)
    later(364)
    assert await AuditRetention(book.world.db).tick() == {"seals": 0, "rows": 0, "loose": 0}
    assert await count(book.world) == before


async def test_whole_seals_go_and_the_check_says_so(book: Book, later: Later) -> None:
    before = await count(book.world)
    later(366)
    await book.write(2)
    assert await AuditRetention(book.world.db, batch=4).tick() == {"seals": 3, "rows": before, "loose": 0}
    await book.sealing.tick()
    found = await book.verify()
    assert (found.findings, found.purged, found.seals, found.rows) == ([], 3, 1, 2)
    assert found.newest and found.newest.number == 4, "the chain goes on after what was removed"


async def test_a_seal_with_a_row_that_says_it_is_younger_stays_whole(book: Book, later: Later) -> None:
    later(100)
    ahead = await book.seal()
    later(0)
    await book.seal()
    later(400)
    removed = await AuditRetention(book.world.db).tick()
    assert removed["seals"] == 3
    assert (
        await book.world.value("select min(id) from audit_logs where org_id = :org", org=book.world.org_id) == ahead[0]
    )
    assert (await book.verify()).findings == []


async def test_each_org_keeps_its_own_time(book: Book, later: Later) -> None:
    other = Book(await World(book.world.db, guild=2002).found())
    await other.seal()
    await book.world.rows("update orgs set audit_retention_days = 90 where id = :org", org=book.world.org_id)
    kept = await count(other.world)
    later(91)
    removed = await asyncio.gather(*(AuditRetention(book.world.db, batch=3).tick() for _ in range(3)))
    assert sum(one["seals"] for one in removed) == 3, "three at once remove each seal once"
    assert (await count(book.world), await count(other.world)) == (0, kept)
    assert (await other.verify()).findings == (await book.verify()).findings == []


async def test_a_check_that_meets_retention_finds_nothing(book: Book, later: Later) -> None:
    """Rows go after their seal was read, or the seal before; none of that is a fault."""
    for _ in range(20):
        await book.seal()
    later(366)
    book.verifying = AuditVerify(book.world.db, page=2)
    removing = asyncio.create_task(AuditRetention(book.world.db, batch=1).tick())
    while not removing.done():
        assert (await book.verify()).findings == []
    assert (await removing)["seals"] == 23 and (await book.verify()).purged == 23


async def test_a_seal_out_of_turn(book: Book, later: Later) -> None:
    """Old enough, but retention would have begun with the one before."""
    await book.tamper("update audit_seals set sealed_at = sealed_at - interval '100 days' where org_id = {org}")
    await book.tamper("update audit_seals set purged_at = now() where org_id = {org} and number = 2")
    assert (Fault.PURGED_EARLY, (2, 2), ()) in await book.faults()


async def test_rows_without_an_org_have_a_year(book: Book, later: Later) -> None:
    await book.world.rows(
        """insert into audit_logs (actor_type, action, outcome, resource_type, created_at)
           select 'system', 'x', 'success', 'x', cast(:now as timestamptz) from generate_series(1, 7)""",
        now=clock.now(),
    )
    later(364)
    assert (await AuditRetention(book.world.db, batch=3).tick())["loose"] == 0
    later(366)
    assert (await AuditRetention(book.world.db, batch=3).tick())["loose"] == 7


async def test_an_org_that_was_purged_keeps_its_seals_and_for_a_year_its_rows(book: Book, later: Later) -> None:
    world, before = book.world, await count(book.world)
    await Identity(world.db).guild_left(world.guild)
    await book.sealing.tick()
    later(31)
    assert await Retention(world.db).left_orgs() == {"purged": 1}
    assert (await book.verify()).rows == 0, "nobody can ask any more, and its rows are nobody's"
    hashes = [await book.hash(number) for number in range(1, 5)]
    assert await AuditRetention(world.db).tick() == {"seals": 0, "rows": 0, "loose": 0}
    later(366)
    removed = await AuditRetention(world.db).tick()
    assert removed["seals"] == 4 and removed["rows"] == before + 1
    assert [await book.hash(number) for number in range(1, 5)] == hashes


async def test_nothing_else_removes_a_row(book: Book, later: Later) -> None:
    later(366)
    await AuditRetention(book.world.db).tick()
    await book.seal(1)
    with pytest.raises(DBAPIError, match="append-only"):
        await book.world.rows("delete from audit_logs where org_id = :org", org=book.world.org_id)


async def test_removed_before_their_time(book: Book, later: Later) -> None:
    await book.tamper(
        "delete from audit_logs where org_id = {org}", "update audit_seals set purged_at = now() where org_id = {org}"
    )
    assert [(fault, seals) for fault, seals, _ in await book.faults()] == [
        (Fault.PURGED_EARLY, (number, number)) for number in (1, 2, 3)
    ]


async def test_a_row_that_is_still_there_although_its_seal_was_purged(book: Book, later: Later) -> None:
    later(366)
    await AuditRetention(book.world.db).tick()
    await book.tamper(
        """insert into audit_logs (id, org_id, action, outcome, resource_type, created_at) overriding system value
           select lower(ids), org_id, 'x', 'success', 'x', now() from audit_seals where org_id = {org} and number = 2"""
    )
    ((fault, _, _),) = await book.faults()
    assert fault is Fault.ROWS_ADDED
