"""What is written under a duty is written by its holder, or not at all."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import TextClause, text

from bot.domain.actors import system
from bot.errors import Conflict, Unavailable
from bot.services.leases import Leases
from db.engine import Database
from db.queries.operations import still_held

DUTY = "schedules"
EFFECT = text("/* test.effect */ insert into app_state (key, value, updated_at) values ('effect', '1', now())")
LAPSE = text("/* test.lapse */ update leases set expires_at = now() - interval '1 second'")
COUNT = text("/* test.count */ select count(*) from app_state")
ACTOR = system("test")


@pytest.fixture
async def leases(db: Database) -> Leases:
    """Of a process that has the duty."""
    made = Leases(db, "first")
    await made.take(DUTY)
    return made


@pytest.fixture
def led(db: Database, leases: Leases) -> Database:
    """The database as that process writes to it under the duty."""
    return db.under(lambda: leases.under(DUTY))


async def run(db: Database, statement: TextClause) -> None:
    async with db.statement() as session:
        await session.execute(statement)


async def effects(db: Database) -> int:
    async with db.read() as session:
        return await session.scalar(COUNT) or 0


async def write(db: Database, meanwhile: Callable[[], Awaitable[object]] | None = None) -> None:
    """A unit of work with an effect; something may happen before its end."""
    async with db.uow(ACTOR) as tx:
        await tx.session.execute(EFFECT)
        if meanwhile:
            await meanwhile()
            await tx.session.execute(COUNT)


async def test_the_holder_writes_and_nobody_else_does(db: Database, led: Database, leases: Leases) -> None:
    await run(led, EFFECT)
    assert await effects(db) == 1
    await leases.release(DUTY)
    with pytest.raises(Conflict, match="does not have the duty"):
        await run(led, EFFECT)
    with pytest.raises(Conflict, match="does not have the duty"):
        await write(led)


async def test_who_has_lost_it_is_refused_before_anything_is_done(db: Database, led: Database) -> None:
    await run(db, LAPSE)
    meanwhile = asyncio.Event()
    with pytest.raises(Conflict, match="Another process has the duty schedules by now"):
        await write(led, meanwhile.wait)
    with pytest.raises(Conflict):
        await run(led, EFFECT)


async def test_who_loses_it_in_the_middle_commits_nothing(db: Database, led: Database) -> None:
    other = Leases(db, "second")

    async def take_over() -> None:
        await run(db, LAPSE)
        assert await other.take(DUTY) == 2

    with pytest.raises(Conflict, match="Another process"):
        await write(led, take_over)
    assert await effects(db) == 0
    await run(db.under(lambda: other.under(DUTY)), EFFECT)
    assert await effects(db) == 1


async def test_a_lapse_that_nobody_used_is_one_all_the_same(db: Database, led: Database, leases: Leases) -> None:
    with pytest.raises(Conflict):
        await write(led, lambda: run(db, LAPSE))
    await leases.renew()
    await write(led)
    assert await effects(db) == 1


async def test_a_long_transaction_keeps_no_renewal_waiting(led: Database, leases: Leases) -> None:
    async def renew() -> None:
        async with asyncio.timeout(1):
            (seen,) = await leases.renew()
        assert seen.kept

    await write(led, renew)


async def test_a_take_over_waits_for_the_commit(db: Database, leases: Leases) -> None:
    """From the last check to the commit the row is locked: the newcomer sees what was written, or it was not."""
    other = Leases(db, "second")
    async with db.uow(ACTOR) as tx:
        await tx.session.execute(EFFECT)
        assert await still_held(tx.session, leases.under(DUTY))
        lapsing = asyncio.create_task(run(db, LAPSE))
        await asyncio.sleep(0.2)
        assert not lapsing.done()
    await lapsing
    assert await other.take(DUTY) == 2 and await effects(db) == 1


async def test_a_holder_that_stands_still_in_the_middle_is_cut_off(db: Database, led: Database) -> None:
    """Wherever it was stopped: it keeps nobody waiting for longer than a lease."""
    began = time.monotonic()
    with pytest.raises(Unavailable):
        await write(led, lambda: asyncio.sleep(2.5))
    assert time.monotonic() - began < 3.5 and await effects(db) == 0
