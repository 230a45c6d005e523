"""What a connection costs, what it forbids, and what happens when it is lost."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from bot.domain.actors import system
from bot.errors import Unavailable
from bot.logs import correlation
from db.engine import Database
from db.models import Org
from tests.database import TestServer, open_directory
from tests.db import rows
from tests.db.wire_tap import WireTap, tapped

ONE = text("/* test.one */ select 1")
KILL_ALL = "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test%'"


@pytest.fixture
async def tap(postgres: TestServer, database_url: str) -> AsyncIterator[tuple[WireTap, Database]]:
    with open_directory() as directory:
        async with tapped(postgres.server.paths.socket, directory) as (found, socket):
            db = Database(database_url.replace(str(postgres.server.paths.socket), str(socket)))
            yield found, db
            await db.close()


async def trips(tap: WireTap, db: Database) -> int:
    before = tap.round_trips
    async with db.read() as session:
        await session.scalar(ONE)
    return tap.round_trips - before


async def test_a_look_up_costs_its_statement(tap: tuple[WireTap, Database]) -> None:
    wire, db = tap
    await trips(wire, db)
    assert await trips(wire, db) == 1


async def test_a_change_costs_begin_its_statements_and_commit(tap: tuple[WireTap, Database]) -> None:
    wire, db = tap

    async def change() -> int:
        before = wire.round_trips
        async with db.uow(system("test")) as tx:
            await tx.session.execute(ONE)
        return wire.round_trips - before

    await change()
    assert await change() == 3


async def test_a_look_up_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError, match="read-only"):
        async with db.read() as session:
            await session.execute(text("insert into app_state (key, value) values ('x', '1')"))
    async with db.uow(system("test")) as tx:
        await tx.session.execute(text("insert into app_state (key, value) values ('x', '1')"))


async def test_what_a_session_gave_out_needs_no_session(db: Database) -> None:
    async with db.uow(system("test")) as tx:
        tx.session.add(org := rows.org())
    async with db.read() as session:
        found = (await session.scalars(select(Org))).one()
    assert (found.name, found.timezone, found.id) == (org.name, "UTC", org.id)


@pytest.mark.parametrize(("role", "seconds"), [("interactions", "5s"), ("workers", "1min")])
async def test_every_connection_has_its_limits_and_its_name(database_url: str, role: str, seconds: str) -> None:
    db = Database(database_url, role=role)
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "application_name")
    async with db.read() as session:
        found = [await session.scalar(text(f"select current_setting('{name}')")) for name in names]
    await db.close()
    assert found == [seconds, "2s", "15s", f"gamekeeper {role}"]


async def test_a_lock_that_is_held_is_not_waited_for(db: Database) -> None:
    lock = text("lock table orgs in access exclusive mode")
    started = time.monotonic()
    async with db.uow(system("test")) as first:
        await first.session.execute(lock)
        with pytest.raises(Unavailable):
            async with db.uow(system("test")) as second:
                await second.session.execute(lock)
    assert 1.5 < time.monotonic() - started < 4


async def test_an_exhausted_pool_says_so_in_time(database_url: str) -> None:
    db = Database(database_url, pool_size=1, max_overflow=0)
    started = time.monotonic()
    async with db.read() as session:
        await session.scalar(ONE)
        with pytest.raises(Unavailable):
            async with db.read() as other:
                await other.scalar(ONE)
    await db.close()
    assert time.monotonic() - started < 3


async def test_a_slow_statement_is_logged_with_its_name_and_correlation(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    slow = text("/* test.slow */ select pg_sleep(0.25)")
    token = correlation.set("abc")
    with caplog.at_level(logging.WARNING, "db.timing"):
        async with db.read() as session:
            await session.execute(ONE)
            await session.execute(slow)
            await session.execute(text("select pg_sleep(0.25)"), execution_options={"name": "test.option"})
            with pytest.raises(DBAPIError):
                await session.execute(text("/* test.fails */ select pg_sleep(0.25), 1 / (random() * 0)::int"))
    correlation.reset(token)
    lines = [record.getMessage().rpartition(" ")[0].rpartition(" ")[0] for record in caplog.records]
    assert lines == [
        "slow statement test.slow took",
        "slow statement test.option took",
        "slow statement test.fails failed after",
    ]


async def test_connections_that_the_server_closed_are_replaced_unseen(postgres: TestServer, db: Database) -> None:
    async with db.read() as one, db.read() as two:
        await asyncio.gather(one.scalar(ONE), two.scalar(ONE))
    await postgres.execute(KILL_ALL)
    await asyncio.sleep(0.05)
    async with db.read() as one, db.read() as two:
        assert await one.scalar(ONE) == await two.scalar(ONE) == 1


async def test_a_statement_whose_connection_dies_reports_the_database_as_away(
    postgres: TestServer, db: Database
) -> None:
    async def look_up() -> None:
        async with db.read() as session:
            await session.scalar(ONE)
            await postgres.execute(KILL_ALL)
            await session.scalar(ONE)

    with pytest.raises(Unavailable):
        await look_up()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with open_directory() as nowhere:
        db = Database(f"postgresql://postgres@/x?host={nowhere}")
        with pytest.raises(Unavailable):
            async with db.read() as session:
                await session.scalar(ONE)
        await db.close()


async def test_a_server_that_refuses_a_connection_says_so_as_for_a_statement(postgres: TestServer) -> None:
    """One that is only starting up is away then, and not an unknown error."""
    db = Database(postgres.server.dsn("no_such_database"))
    with pytest.raises(DBAPIError, match="no_such_database"):
        async with db.read() as session:
            await session.scalar(ONE)
    await db.close()


async def test_a_silent_server_is_given_up(tap: tuple[WireTap, Database], monkeypatch: pytest.MonkeyPatch) -> None:
    wire, db = tap
    monkeypatch.setattr("db.connect._GRACE_SECONDS", -4.5)

    async def look_up() -> None:
        async with db.read() as session:
            await session.scalar(ONE)
            wire.flowing.clear()
            await session.scalar(ONE)

    started = time.monotonic()
    with pytest.raises(Unavailable):
        await look_up()
    wire.flowing.set()
    assert time.monotonic() - started < 5


async def test_who_listens_ends_although_the_server_is_silent(tap: tuple[WireTap, Database]) -> None:
    wire, db = tap
    listening = [asyncio.create_task(db.listen(channel, lambda _: None)) for channel in ("one", "two")]
    await asyncio.sleep(0.3)
    wire.flowing.clear()
    started = time.monotonic()
    for task in listening:
        task.cancel()
    await asyncio.wait(listening, timeout=10)
    await db.close()
    wire.flowing.set()
    assert time.monotonic() - started < 5


async def test_closing_does_not_wait_for_a_silent_server(database_url: str) -> None:
    db = Database(database_url)

    async def backend() -> int:
        async with db.read() as session:
            return await session.scalar(text("select pg_backend_pid() from pg_sleep(0.1)"))

    backends = set(await asyncio.gather(*(backend() for _ in range(3))))
    for pid in backends:
        os.kill(pid, signal.SIGSTOP)
    started = time.monotonic()
    closing = asyncio.create_task(db.close())
    try:
        await asyncio.wait({closing}, timeout=15)
        assert closing.done() and time.monotonic() - started < 5
    finally:
        for pid in backends:
            os.kill(pid, signal.SIGCONT)
    await closing


async def test_two_hundred_look_ups_share_fifteen_connections(db: Database) -> None:
    async def look_up() -> int:
        async with db.read() as session:
            return await session.scalar(ONE)

    assert sum(await asyncio.gather(*(look_up() for _ in range(200)))) == 200
    async with db.read() as session:
        count = text("select count(*) from pg_stat_activity where datname = current_database()")
        assert await session.scalar(count) <= 15
