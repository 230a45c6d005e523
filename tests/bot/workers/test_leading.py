"""Who leads what: taken when it is free, kept through a silence, given back at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import TextClause, text

from bot.domain.actors import system
from bot.services.leases import Leases
from bot.workers.leading import Leading
from db.engine import Database
from tests.wire.waiting import eventually

DUTIES = ("alerts", "jobs")
GONE = text("/* test.gone */ alter table leases rename to leases_gone")
BACK = text("/* test.back */ alter table leases_gone rename to leases")
LAPSED = text("/* test.lapsed */ update leases set expires_at = now() - interval '1 second' where holder = 'a'")
Make = Callable[..., Leading]


@pytest.fixture
async def process(db: Database) -> AsyncIterator[Make]:
    """Makes a process that does not look yet."""
    made: list[Leading] = []

    def make(name: str, *roles: str) -> Leading:
        made.append(Leading(Leases(db, name), DUTIES if "workers" in roles else (), roles))
        return made[-1]

    yield make
    for one in made:
        await one.end()


async def run(db: Database, statement: TextClause) -> None:
    async with db.statement() as session:
        await session.execute(statement)


async def test_the_first_one_leads_and_the_next_one_when_it_ends(process: Make) -> None:
    first, second = process("a", "bot", "workers"), process("b", "workers")
    await first.begin()
    assert all(first.leads(duty) for duty in DUTIES), "at once: ticks begin after this"
    await second.begin()
    assert not any(second.leads(duty) for duty in DUTIES)
    await eventually(lambda: first.members("workers") == {"a", "b"} and second.members("bot") == {"a"}, 3)
    await first.step_down()
    await eventually(lambda: all(second.leads(duty) for duty in DUTIES), 2)
    await asyncio.sleep(0.6)
    assert first.leases.held.keys() == {"role:bot:a", "role:workers:a"}, "it takes none again, and is still there"
    await first.end()
    await eventually(lambda: second.members("workers") == {"b"}, 2)


async def test_who_steps_down_while_it_takes_has_nothing_afterwards(process: Make, db: Database) -> None:
    """Nobody would do what it has until it has ended."""
    only = process("a", "workers")
    async with db.uow(system("test.first")) as tx:
        await tx.session.execute(text("insert into leases values ('alerts', 'b', 1, now() - interval '1 second')"))
        beginning = asyncio.create_task(only.begin())
        await asyncio.sleep(0.5)
        stepping_down = asyncio.create_task(only.step_down())
        await asyncio.sleep(0.1)
        assert not beginning.done() and not stepping_down.done(), "somebody else is just taking the first duty"
    await asyncio.gather(beginning, stepping_down)
    assert only.leases.held.keys() == {"role:workers:a"}


async def test_who_has_no_ticks_leads_nothing(process: Make) -> None:
    bot = process("a", "bot")
    await bot.begin()
    assert bot.leases.held.keys() == {"role:bot:a"}


async def test_a_silence_moves_nothing(process: Make, db: Database) -> None:
    """Longer than leases hold, so that all have lapsed when the database answers: whoever had one keeps it."""
    holder, standby = process("a", "workers"), process("b", "workers")
    await holder.begin()
    await standby.begin()
    await run(db, GONE)
    await asyncio.sleep(3)
    await run(db, BACK)
    await run(db, LAPSED)
    await eventually(lambda: all(holder.leads(duty) for duty in DUTIES), 3)
    await asyncio.sleep(1.2)
    assert all(holder.leads(duty) for duty in DUTIES)
    assert set(standby.leases.held) == {"role:workers:b"}


async def test_who_stands_aside_has_no_role_until_it_returns(process: Make) -> None:
    lame, other = process("a", "bot"), process("b", "bot")
    await lame.begin()
    await other.begin()
    await lame.step_aside("bot")
    await eventually(lambda: other.members("bot") == {"b"}, 3)
    lame.return_to("bot")
    await eventually(lambda: other.members("bot") == {"a", "b"}, 3)


async def test_an_end_does_not_wait_for_a_database_that_stands_still(process: Make, db: Database) -> None:
    """A lock on the table stands for it."""
    one = process("a", "bot", "workers")
    await one.begin()
    async with db.uow(system("test")) as tx:
        await tx.session.execute(text("lock table leases in access exclusive mode"))
        began = time.monotonic()
        await one.end()
        assert time.monotonic() - began < 5
