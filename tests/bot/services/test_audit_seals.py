"""Seals over audit rows: which rows they name, in which order, whoever makes them; and what is posted of them."""

import asyncio
import random
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import clock
from bot.domain.id_ranges import IdRanges
from bot.services.audit_seals import Sealing
from db.engine import Database
from tests.bot.services.sealed_world import ROW, Book
from tests.bot.world import World

NOTHING = {"seals": 0, "rows": 0, "posted": 0}
CHANNEL = """insert into notification_channels (org_id, name, purpose, type, discord_channel_id)
             values (:org, 'audit', 'audit', 'discord_channel', 77)"""


@pytest.fixture
async def book(world: World) -> Book:
    """With everything sealed that the world wrote when it was made."""
    found = Book(world)
    await found.sealing.tick()
    return found


async def unsealed(world: World) -> list[int]:
    rows = await world.rows(
        """select id from audit_logs a where org_id = :org and not exists (
             select 1 from audit_seals s where s.org_id = a.org_id and s.ids @> a.id) order by id""",
        org=world.org_id,
    )
    return [row[0] for row in rows]


async def row(connection: AsyncConnection, world: World, action: str = "late") -> int:
    """One in the transaction that is open there."""
    values = {"org": world.org_id, "action": action, "options": "{}", "now": clock.now()}
    return (await connection.execute(text(ROW), values)).scalar_one()


async def test_every_row_once_and_nothing_where_there_is_nothing(book: Book) -> None:
    before = len(await book.seals())
    ids = await book.write(3)
    assert await book.sealing.tick() == {"seals": 1, "rows": 3, "posted": 0}
    assert (await book.seals())[-1] == (before + 1, IdRanges.of(ids).text, 3)
    assert await book.sealing.tick() == NOTHING
    assert await unsealed(book.world) == []


async def test_orgs_have_chains_of_their_own_and_ids_of_others_are_left_out(book: Book) -> None:
    other = Book(await World(book.world.db, guild=2002).found())
    mine = [number for _ in range(3) for number in (await book.write(), await other.write())[0]]
    await book.sealing.tick()
    (_, ids, count) = (await book.seals())[-1]
    assert (ids, count) == (IdRanges.of(mine).text, 3) and len(IdRanges.read(ids).pairs) == 3
    assert [number for number, _, _ in await other.seals()] == [1]


async def test_rows_without_an_org_are_in_no_seal(book: Book) -> None:
    await book.world.rows(ROW, org=None, action="help", options="{}", now=clock.now())
    assert await book.sealing.tick() == NOTHING


async def test_rows_that_are_committed_late_get_into_later_seals(book: Book) -> None:
    """Two transactions hold lower ids than what is sealed meanwhile, and end in the opposite order."""
    engine = book.world.db.engine
    async with engine.connect() as first, engine.connect() as second:
        await first.execute(text("begin"))
        await second.execute(text("begin"))
        held = [await row(first, book.world), await row(second, book.world)]
        ids = await book.seal(2)
        assert held[1] < ids[0] and (await book.seals())[-1][1] == IdRanges.of(ids).text
        for connection, late in ((second, held[1]), (first, held[0])):
            await connection.execute(text("commit"))
            more = await book.seal(1)
            assert (await book.seals())[-1][1] == IdRanges.of([late, *more]).text
    assert await book.sealing.tick() == NOTHING
    assert await book.faults() == []


async def test_a_row_that_was_late_when_everything_stopped(book: Book) -> None:
    """It is not taken for one that was put there, however long nobody was there to seal it."""
    async with book.world.db.engine.connect() as slow:
        await slow.execute(text("begin"))
        late = await row(slow, book.world)
        await book.seal()
        await slow.execute(text("commit"))
    await book.world.rows("update audit_seals set sealed_at = sealed_at - interval '1 day'")
    assert await book.sealing.tick() == NOTHING, "it would have been seen a minute later"
    assert (await Sealing(book.world.db).tick())["rows"] == 1
    assert (await book.seals())[-1][1] == IdRanges.of([late]).text


async def test_a_backlog_is_sealed_in_portions(book: Book) -> None:
    number = len(await book.seals())
    await book.write(23)
    sealing = Sealing(book.world.db, rows=5, seals=2, page=2)
    assert [(await sealing.tick())["rows"] for _ in range(4)] == [10, 10, 3, 0]
    assert [count for _, _, count in (await book.seals())[number:]] == [5, 5, 5, 5, 3]
    assert await book.faults() == []


async def test_more_late_rows_than_a_seal_takes(book: Book) -> None:
    async with book.world.db.engine.connect() as slow:
        await slow.execute(text("begin"))
        for _ in range(7):
            await row(slow, book.world)
        await book.seal(1)
        await slow.execute(text("commit"))
    await book.write(4)
    sealing = Sealing(book.world.db, rows=5, page=2)
    assert [(await sealing.tick())["rows"] for _ in range(3)] == [9, 2, 0]
    assert await unsealed(book.world) == [] and await book.faults() == []


async def test_two_replicas_make_one_chain(book: Book, database_url: str) -> None:
    """Writers with transactions of every length, three processes that seal, and each row is in one seal."""
    world, dice, replicas = book.world, random.Random(7), [Database(database_url) for _ in range(3)]
    done = asyncio.Event()

    async def writes() -> None:
        async with world.db.engine.connect() as connection:
            for _ in range(30):
                await connection.execute(text("begin"))
                for _ in range(dice.randint(1, 4)):
                    await row(connection, world)
                    await asyncio.sleep(dice.choice((0, 0, 0.01)))
                await connection.execute(text(dice.choice(("commit", "commit", "rollback"))))

    async def seals(db: Database) -> None:
        sealing = Sealing(db, rows=7, page=3)
        while not done.is_set():
            await sealing.tick()

    sealers = [asyncio.create_task(seals(db)) for db in replicas]
    await asyncio.gather(*(writes() for _ in range(5)))
    done.set()
    await asyncio.gather(*sealers)
    await book.sealing.tick()
    await asyncio.gather(*(db.close() for db in replicas))
    made = await book.seals()
    assert [number for number, _, _ in made] == list(range(1, len(made) + 1)) and len(made) > 10
    named = [number for _, ids, _ in made for number in IdRanges.read(ids)]
    assert len(named) == len(set(named)) and await unsealed(world) == []
    assert await book.faults() == []


async def test_one_org_in_trouble_keeps_no_other_from_its_seal(book: Book) -> None:
    """Somebody holds the lock of one org's seal for longer than anybody waits."""
    other = Book(await World(book.world.db, guild=2002).found())
    await book.write()
    async with book.world.db.engine.connect() as away:
        await away.execute(text("begin"))
        await away.execute(
            text("select pg_advisory_xact_lock(hashtextextended('audit.seal:' || :org, 0))"),
            {"org": str(book.world.org_id)},
        )
        assert (await book.sealing.tick())["seals"] == 1
        await away.execute(text("rollback"))
    assert len(await unsealed(book.world)) == 1 and await unsealed(other.world) == []
    assert (await book.sealing.tick())["seals"] == 1


# --------------------------------------------------------------------------------------------------------------- posts


@pytest.fixture
async def told(book: Book) -> Book:
    """With an audit channel, in which nothing was posted for some time."""
    await book.world.rows(CHANNEL, org=book.world.org_id)
    assert (await book.sealing.tick())["posted"] == 1
    await book.world.rows("update notification_jobs set created_at = created_at - interval '11 minutes'")
    return book


async def posts(book: Book) -> list[tuple[int, int, int, str]]:
    """First, last, rows and hash of every message, oldest first."""
    rows = await book.world.rows(
        """select payload_json from notification_jobs where org_id = :org and event_type = 'audit.seal'
            and discord_channel_id = 77 order by id""",
        org=book.world.org_id,
    )
    return [tuple(row[0][name] for name in ("first", "last", "rows", "hash")) for row in rows]


async def test_a_seal_is_posted_at_once_and_those_that_follow_together(told: Book) -> None:
    number = len(await told.seals())
    await told.seal(2)
    assert (await posts(told))[1:] == [(number + 1, number + 1, 2, await told.hash(number + 1))]
    for _ in range(3):
        await told.seal(1)
    assert len(await posts(told)) == 2
    await told.world.rows("update notification_jobs set created_at = created_at - interval '11 minutes'")
    assert await told.sealing.tick() == {"seals": 0, "rows": 0, "posted": 1}
    assert (await posts(told))[2:] == [(number + 2, number + 4, 3, await told.hash(number + 4))]


async def test_a_quiet_org_hears_nothing(told: Book) -> None:
    await told.world.rows("update notification_jobs set created_at = created_at - interval '1 hour'")
    assert await told.sealing.tick() == NOTHING
    await told.world.rows("delete from notification_jobs")
    await told.world.rows("update audit_seals set sealed_at = sealed_at - interval '25 hours'")
    assert await told.sealing.tick() == NOTHING, "retention of the outbox makes no old seal new"


async def test_no_seal_is_forgotten_when_the_process_ends_before_its_post(told: Book) -> None:
    """The tick is broken off while it waits to write the message; another process finds what is missing."""
    await told.write()
    number = len(await told.seals()) + 1
    async with told.world.db.engine.connect() as stuck:
        await stuck.execute(text("begin"))
        await stuck.execute(text("lock table notification_jobs in access exclusive mode"))
        dying = asyncio.create_task(told.sealing.tick())
        while len(await told.seals()) < number:
            await asyncio.sleep(0.01)
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        await stuck.execute(text("rollback"))
    assert len(await posts(told)) == 1
    assert await Sealing(told.world.db).tick() == {"seals": 0, "rows": 0, "posted": 1}
    assert (await posts(told))[-1][1] == number


async def test_sealing_and_posting_leave_no_audit_rows(told: Book) -> None:
    await told.seal()
    audited = await told.world.value("select count(*) from audit_logs")
    for _ in range(3):
        await told.sealing.tick()
    assert await told.world.value("select count(*) from audit_logs") == audited
    assert await unsealed(told.world) == []


async def test_an_org_that_left_is_sealed_and_not_told(told: Book) -> None:
    await told.world.rows("update orgs set status = 'left', left_at = now() where id = :org", org=told.world.org_id)
    await told.write()
    assert await told.sealing.tick() == {"seals": 1, "rows": 1, "posted": 0}


async def test_a_row_that_was_late_while_the_database_was_away(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process went on, so nobody starts it again."""
    async with book.world.db.engine.connect() as slow:
        await slow.execute(text("begin"))
        late = await row(slow, book.world)
        await book.seal()
        await slow.execute(text("commit"))
    await book.world.rows("update audit_seals set sealed_at = sealed_at - interval '2 hours'")
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=2))
    assert (await book.sealing.tick())["rows"] == 1
    assert (await book.seals())[-1][1] == IdRanges.of([late]).text
