"""Whatever is done to sealed rows and to seals shows."""

import asyncio
from datetime import timedelta

import pytest

from bot import clock
from bot.domain.seals_chain import Fault
from bot.errors import Invalid
from bot.services.audit_seals import Sealing
from bot.services.audit_verify import AuditVerify
from tests.bot.services.sealed_world import Book
from tests.bot.world import World

INSERTED = """insert into audit_logs (id, org_id, action, outcome, resource_type, created_at) overriding system value
              values ({id}, {org}, 'forged', 'success', 'server', {at})"""
AGED = "update audit_seals set sealed_at = sealed_at - interval '2 hours' where org_id = {org}"


@pytest.fixture
async def book(world: World) -> Book:
    """Four seals: of what the world began with, and of three rows each."""
    found = Book(world)
    await found.sealing.tick()
    for _ in range(3):
        await found.seal()
    return found


async def test_nothing_was_changed(book: Book) -> None:
    found = await book.verify()
    assert (found.findings, found.finished) == ([], True)
    assert (found.seals, found.rows) == (4, 9 + len(await book.ids(1)))
    assert found.newest and found.newest.number == 4 and found.newest.hash.hex() == await book.hash(4)


async def test_an_org_without_seals(book: Book) -> None:
    fresh = Book(await World(book.world.db, guild=2002).found())
    found = await fresh.verify()
    assert (found.newest, found.findings, found.seals) == (None, [], 0)


async def test_by_pages_of_any_size_and_with_rows_of_others_between(book: Book) -> None:
    other = Book(await World(book.world.db, guild=2002).found())
    for _ in range(3):
        for one in (book, other, book):
            await one.write()
    await book.sealing.tick()
    for page in (1, 2, 5):
        book.verifying = AuditVerify(book.world.db, page=page)
        assert (await book.verify()).findings == []
    assert (await other.verify()).findings == []


CHANGES = (
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
)


async def test_changed_rows(book: Book) -> None:
    """Each in a seal of its own, with an unchanged one after it."""
    wanted = [(number, change) for number, change in zip(range(5, 100, 2), CHANGES, strict=False)]
    for _ in range(2 * len(CHANGES)):
        await book.seal()
    for number, change in wanted:
        ids = await book.ids(number)
        await book.tamper(f"update audit_logs set {change} where id = {ids[1]}")
    assert await book.faults() == [
        (Fault.ROW_CHANGED, (number, number), tuple(await book.ids(number))) for number, _ in wanted
    ]


async def test_a_changed_row_of_the_newest_seal(book: Book) -> None:
    """There is no next one that could tell whether the seal was changed or the row."""
    ids = await book.ids(4)
    await book.tamper(f"update audit_logs set action = 'nothing' where id = {ids[0]}")
    assert await book.faults() == [(Fault.EITHER_CHANGED, (4, 4), tuple(ids))]


async def test_rows_changed_in_two_seals_that_follow_each_other(book: Book) -> None:
    ids = [await book.ids(number) for number in (2, 3)]
    for one in ids:
        await book.tamper(f"update audit_logs set action = 'nothing' where id = {one[0]}")
    assert await book.faults() == [
        (Fault.EITHER_CHANGED, (2, 2), tuple(ids[0])),
        (Fault.ROW_CHANGED, (3, 3), tuple(ids[1])),
    ]


async def test_a_removed_row(book: Book) -> None:
    ids = await book.ids(3)
    await book.tamper(f"delete from audit_logs where id = {ids[1]}")
    assert await book.faults() == [(Fault.ROWS_MISSING, (3, 3), (ids[1],))]


async def test_a_row_that_was_moved_to_nobody(book: Book) -> None:
    """The trigger lets an org be emptied, and the row would be seen no more."""
    ids = await book.ids(2)
    await book.world.rows("update audit_logs set org_id = null where id = :id", id=ids[2])
    assert await book.faults() == [(Fault.ROWS_MISSING, (2, 2), (ids[2],))]


async def test_a_row_that_came_in_with_an_old_id(book: Book) -> None:
    """Neither a tick nor its time makes it look as if it had always been there."""
    free = await book.skip_ids(1)
    await book.seal()
    await book.tamper(AGED, INSERTED, id=free, at="now()")
    await book.sealing.tick()
    assert (Fault.ROWS_ADDED, None, (free,)) in await book.faults()


async def test_a_row_with_an_old_id_and_an_old_time_shows_at_once(book: Book) -> None:
    free = await book.skip_ids(1)
    await book.seal()
    await book.tamper(INSERTED, id=free, at="now() - interval '11 minutes'")
    assert await book.faults() == [(Fault.ROWS_ADDED, None, (free,))]


async def test_a_row_that_was_sealed_as_if_it_had_been_late(book: Book) -> None:
    """Within the hour a tick seals it; but who is written half an hour ago was due for the seal before."""
    free = await book.skip_ids(2)
    await book.seal()
    await book.tamper(INSERTED, id=free, at="now() - interval '30 minutes'")
    await book.tamper(INSERTED, id=free + 1, at="now()")
    assert (await book.sealing.tick())["rows"] == 2
    assert await book.faults() == [(Fault.ROWS_ADDED, None, (free,))]


async def test_rows_that_nobody_seals(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = await book.write(2)
    assert await book.faults() == [], "a minute has to pass"
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=11))
    assert await book.faults() == [(Fault.ROWS_WAITING, None, tuple(ids))]
    await book.sealing.tick()
    assert await book.faults() == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("hash = sha256(hash)", Fault.SEAL_CHANGED),
        ("row_count = 2", Fault.SEAL_CHANGED),
        ("ids = ids + '{{[900000,900001)}}'", Fault.SEAL_CHANGED),
        ("ids = '{{[1,)}}'", Fault.SEAL_CHANGED),
        ("ids = '{{[-9223372036854775808,9223372036854775807)}}'", Fault.SEAL_CHANGED),
        ("sealed_at = sealed_at + interval '1 microsecond'", Fault.ROW_CHANGED),
        ("purged_at = now()", Fault.PURGED_EARLY),
    ],
)
async def test_a_changed_seal(book: Book, change: str, fault: Fault) -> None:
    await book.tamper(f"update audit_seals set {change} where org_id = {{org}} and number = 3")
    found = await book.faults()
    assert [(fault, (3, 3))] == [one[:2] for one in found if one[0] is not Fault.ROWS_ADDED]


async def test_a_seal_that_names_one_row_less(book: Book) -> None:
    ids = await book.ids(3)
    await book.tamper(
        f"update audit_seals set ids = ids - '{{{{[{ids[1]},{ids[1] + 1})}}}}', row_count = 2 "
        "where org_id = {org} and number = 3",
        "update audit_logs set created_at = now() - interval '1 hour' where org_id = {org} and id = {id}",
        id=ids[1],
    )
    assert await book.faults() == [(Fault.ROW_CHANGED, (3, 3), (ids[0], ids[2])), (Fault.ROWS_ADDED, None, (ids[1],))]


async def test_removed_seals(book: Book) -> None:
    await book.seal()
    await book.tamper("delete from audit_seals where org_id = {org} and number in (2, 3)")
    found = [one[:2] for one in await book.faults() if one[0] is not Fault.ROWS_ADDED]
    assert found == [(Fault.SEALS_MISSING, (2, 3)), (Fault.UNCONNECTED, (4, 4))]


async def test_renumbered_seals(book: Book) -> None:
    await book.tamper(
        "update audit_seals set number = number + 10 where org_id = {org} and number > 2",
        "update audit_seals set number = number - 10 where org_id = {org} and number > 13",
    )
    assert Fault.SEALS_MISSING in [fault for fault, _, _ in await book.faults()]


async def test_a_chain_that_was_made_anew_differs_from_what_was_posted(book: Book) -> None:
    """The database alone agrees with itself: only what was posted tells."""
    posted = await book.hash(4)
    assert (await book.verify(posted[:12])).asked == (await book.verify("4")).asked
    ids = await book.ids(3)
    await book.tamper(
        "delete from audit_seals where org_id = {org} and number >= 3",
        "update audit_logs set action = 'nothing' where id = {id}",
        id=ids[1],
    )
    await book.sealing.tick()
    assert await book.faults() == []
    (finding,) = (await book.verify(f"`{posted}`")).findings
    assert finding.fault is Fault.POSTED_UNKNOWN
    asked = (await book.verify("3")).asked
    assert asked and asked.hash.hex() == await book.hash(3) != posted


async def test_the_last_seal_was_removed_and_made_again_without_a_row(book: Book) -> None:
    posted, ids = await book.hash(4), await book.ids(4)
    await book.tamper(
        "delete from audit_seals where org_id = {org} and number = 4",
        "delete from audit_logs where id = {id}",
        id=ids[0],
    )
    await book.sealing.tick()
    assert await book.ids(4) == ids[1:]
    assert [one.fault for one in (await book.verify(posted)).findings] == [Fault.POSTED_UNKNOWN]


async def test_who_did_it_may_be_forgotten(book: Book) -> None:
    world = book.world
    user = await world.value("insert into users (discord_user_id, username) values (77, 'ann') returning id")
    ids = await book.write(2)
    await book.tamper("update audit_logs set actor_id = '{user}' where id in ({a}, {b})", user=user, a=ids[0], b=ids[1])
    await book.sealing.tick()
    await world.rows("delete from users where id = :id", id=user)
    assert await world.value("select count(*) from audit_logs where actor_id is not null") == 0
    assert await book.faults() == []


async def test_while_rows_are_written_and_sealed(book: Book) -> None:
    """A check reads ahead; what is committed behind it is not missing."""
    done = asyncio.Event()

    async def go_on(sealing: Sealing) -> None:
        while not done.is_set():
            await book.write(3)
            await sealing.tick()

    working = [asyncio.create_task(go_on(Sealing(book.world.db))) for _ in range(2)]
    for _ in range(5):
        book.verifying = AuditVerify(book.world.db, page=2)
        assert (await book.verify()).findings == []
    done.set()
    await asyncio.gather(*working)


async def test_when_the_time_is_over_it_says_how_far_it_came(book: Book) -> None:
    book.verifying = AuditVerify(book.world.db, seconds=0)
    found = await book.verify("ffffffff")
    assert (found.finished, found.findings, found.of) == (False, [], 4)
    assert found.newest and found.newest.number == 1


async def test_one_check_at_a_time(book: Book) -> None:
    done = await asyncio.gather(book.verify(), book.verify(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in done) == ["Conflict", "Verified"]


@pytest.mark.parametrize("posted", ["seal", "12345678g", "-1", "0x12345678", "f" * 65])
async def test_what_is_no_seal(book: Book, posted: str) -> None:
    with pytest.raises(Invalid, match="no seal"):
        await book.verify(posted)
