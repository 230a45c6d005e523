"""Notifications: heard after the commit, and again after the connection was lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bot.domain.actors import system
from db.engine import Database
from tests.database import TestServer


@asynccontextmanager
async def listening(db: Database, channel: str, on_notify: Callable[[str], None]) -> AsyncIterator[None]:
    task = asyncio.create_task(db.listen(channel, on_notify))
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(heard: list[str], count: int) -> None:
    async with asyncio.timeout(10):
        while len(heard) < count:
            await asyncio.sleep(0.01)


async def notify(db: Database, channel: str, payload: str) -> None:
    async with db.uow(system("test")) as tx:
        await tx.notify(channel, payload)


async def test_a_notification_is_heard_once_its_transaction_commits(db: Database) -> None:
    heard: list[str] = []
    async with listening(db, "gk_jobs", heard.append):
        await until(heard, 1)
        async with db.uow(system("test")) as tx:
            await tx.notify("gk_jobs", "host-1")
            await db.catch_up()
            assert heard == [""]
        await db.catch_up()
        await until(heard, 2)
    assert heard == ["", "host-1"]


async def test_channels_share_one_connection_and_do_not_mix(postgres: TestServer, db: Database) -> None:
    jobs: list[str] = []
    outbox: list[str] = []
    async with listening(db, "gk_jobs", jobs.append), listening(db, "gk_outbox", outbox.append):
        await until(jobs, 1)
        await until(outbox, 1)
        await notify(db, "gk_outbox", "x")
        await until(outbox, 2)
    assert (jobs, outbox) == ([""], ["", "x"])


async def test_a_lost_connection_is_opened_again_and_says_that_something_may_be_missed(
    postgres: TestServer, db: Database
) -> None:
    heard: list[str] = []
    async with listening(db, "gk_jobs", heard.append):
        await until(heard, 1)
        await postgres.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname like 'test%'")
        await until(heard, 2)
        await notify(db, "gk_jobs", "after")
        await until(heard, 3)
    assert heard == ["", "", "after"]


async def test_who_no_longer_listens_hears_nothing(db: Database) -> None:
    heard: list[str] = []
    async with listening(db, "gk_jobs", heard.append):
        await until(heard, 1)
    await notify(db, "gk_jobs", "late")
    await db.catch_up()
    assert heard == [""]


async def test_closing_ends_the_listening_connection(postgres: TestServer, database_url: str) -> None:
    db = Database(database_url)
    heard: list[str] = []
    async with listening(db, "gk_jobs", heard.append):
        await until(heard, 1)
    await db.close()
    await postgres.drop(database_url)
