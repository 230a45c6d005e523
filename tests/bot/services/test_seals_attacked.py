"""What somebody with the database in their hands tries to hide behind the seals themselves, and what a check says."""

import pytest

from bot.domain.seals_chain import Fault
from bot.services.audit_seals import Sealing
from bot.services.audit_verify import AuditVerify
from tests.bot.services.sealed_world import Book
from tests.bot.world import World

EMPTIED = "delete from audit_logs a using audit_seals s where a.org_id = {org} and s.org_id = {org} and s.ids @> a.id"


@pytest.fixture
async def book(world: World) -> Book:
    """Four seals: of what the world began with, and of three rows each."""
    found = Book(world)
    await found.sealing.tick()
    for _ in range(3):
        await found.seal()
    return found


async def test_rows_that_retention_would_take_in_future(book: Book) -> None:
    """Each seal is marked as if its time had passed already."""
    await book.tamper(EMPTIED, "update audit_seals set purged_at = sealed_at + interval '91 days' where org_id = {org}")
    assert await book.faults() == [(Fault.PURGED_EARLY, (number, number), ()) for number in range(1, 5)]


@pytest.mark.parametrize(
    "change",
    ["sealed_at = sealed_at - interval '100 days'", "ids = '{{[3,4)}}', row_count = 1", "rows_hash = '', hash = hash"],
)
async def test_seals_without_rows_are_still_computed(book: Book, change: str) -> None:
    """Rows that were kept for too short a time, in seals that claim to be older or smaller: the hash that was posted is
    there, and still it does not fit."""
    posted = await book.hash(3)
    await book.tamper(
        EMPTIED + " and s.number < 4",
        f"update audit_seals set {change} where org_id = {{org}} and number < 4",
        "update audit_seals set purged_at = sealed_at + interval '91 days' where org_id = {org} and number < 4",
    )
    found = await book.verify(posted)
    assert found.asked and found.purged == 3
    changed = [one.seals for one in found.findings if one.fault is Fault.SEAL_CHANGED]
    assert changed == [(number, number) for number in range(1, 4)]


@pytest.mark.parametrize("time", ["infinity", "-infinity", "4000-01-01 BC", "10000-01-01"])
@pytest.mark.parametrize("column", ["sealed_at", "purged_at"])
async def test_times_that_python_has_not(book: Book, column: str, time: str) -> None:
    """The check says what is wrong, and seals are made and read afterwards."""
    await book.tamper(f"update audit_seals set {column} = '{time}' where org_id = {{org}} and number = 4")
    assert await book.faults()
    assert (await Sealing(book.world.db).tick())["seals"] == 0
    await book.seal()
    assert {seals for _, seals, _ in await book.faults() if seals} <= {(4, 4), (5, 5)}


async def test_a_seal_of_nothing(book: Book) -> None:
    await book.tamper(
        "alter table audit_seals drop constraint audit_seals_ids_check",
        "alter table audit_seals drop constraint audit_seals_row_count_check",
        "update audit_seals set ids = '{{}}', row_count = 0 where org_id = {org} and number = 3",
    )
    assert (Fault.SEAL_CHANGED, (3, 3), ()) in await book.faults()


async def test_rows_that_are_put_down_to_somebody_else(book: Book) -> None:
    """Nobody would find them among those of whoever did it, and no seal says so: they leave `actor_id` out."""
    people = "insert into users (discord_user_id, username) values (:id, 'x') returning id"
    mia, eve = [await book.world.value(people, id=number) for number in (71, 72)]
    ids = await book.write(4)
    numbers = ", ".join(map(str, ids))
    await book.tamper(f"update audit_logs set actor_id = '{eve}', actor_discord_id = 72 where id in ({numbers})")
    await book.sealing.tick()
    assert await book.faults() == []
    await book.tamper(f"update audit_logs set actor_id = '{mia}' where id = {ids[1]}")
    await book.world.rows("update audit_logs set actor_id = null where id = :id", id=ids[2])
    for page in (1, 3, 1_000):
        book.verifying = AuditVerify(book.world.db, page=page)
        assert await book.faults() == [(Fault.ACTOR_CHANGED, None, (ids[1], ids[2]))]
    forgotten = "update users set discord_user_id = null, forgotten_at = now() where id = any(:ids)"
    await book.world.rows(forgotten, ids=[mia, eve])
    assert await book.faults() == [], "whoever was forgotten is nobody's double"


async def test_a_seal_that_reaches_over_everything(book: Book) -> None:
    """It may not take the memory, nor more than the time that a check has."""
    await book.tamper(
        "update audit_seals set ids = ids + '{{[4611686018427387904,4611686018427387905)}}', row_count = row_count + 1 "
        "where org_id = {org} and number = 2"
    )
    book.verifying = AuditVerify(book.world.db, page=1)
    assert await book.faults() == [(Fault.ROWS_MISSING, (2, 2), (4611686018427387904,))]
    book.verifying = AuditVerify(book.world.db, page=1, seconds=0)
    found = await book.verify()
    assert not found.finished and found.rows <= 3


async def test_a_number_that_nothing_can_follow(book: Book) -> None:
    """It is named, and keeps no other org from its seals."""
    await book.tamper(f"update audit_seals set number = {2**63 - 1} where org_id = {{org}} and number = 4")
    other = Book(await World(book.world.db, guild=2002).found())
    await other.write()
    await book.seal()
    assert [number for number, _, _ in await other.seals()] == [1]
    assert (Fault.SEALS_MISSING, (4, 2**63 - 2), ()) in await book.faults()
