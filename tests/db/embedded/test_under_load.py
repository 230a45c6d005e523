"""The server is killed while it works: nothing acknowledged is lost, and nobody sees anything but `Unavailable`."""

import asyncio
import os
import signal
from contextlib import suppress

from sqlalchemy import text

from bot.domain.actors import system
from bot.errors import Unavailable
from db import migrate
from db.embedded import EmbeddedPostgres
from db.engine import Database

WRITE = text("/* test.write */ insert into org_counters (org_id, name) values (:org, :name)")
READ = text("/* test.read */ select name from org_counters")
ORG = text("insert into orgs (discord_guild_id, name) values (1, 'Guild') returning id")


async def test_killed_three_times_under_load(server: EmbeddedPostgres) -> None:
    server.start()
    server.create_database()
    await migrate.upgrade(server.dsn())
    watching = asyncio.create_task(server.watch())
    db = Database(server.dsn())
    async with db.uow(system("test")) as tx:
        org = (await tx.session.execute(ORG)).scalar_one()
    acknowledged: set[str] = set()
    refused = 0
    over = asyncio.Event()

    async def write(writer: int) -> None:
        nonlocal refused
        number = 0
        while not over.is_set():
            number += 1
            try:
                async with db.uow(system("test")) as tx:
                    await tx.session.execute(WRITE, {"org": org, "name": f"{writer}-{number}"})
                acknowledged.add(f"{writer}-{number}")
            except Unavailable:
                refused += 1
                await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as writers:
        for writer in range(6):
            writers.create_task(write(writer))
        for _ in range(3):
            await progress(acknowledged, 100)
            assert server.pid
            with suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGKILL)
            await asyncio.sleep(0.05)
        await progress(acknowledged, 100)
        over.set()

    async with db.read() as session:
        found = set((await session.execute(READ)).scalars())
    await db.close()
    server.stop()
    await watching
    assert acknowledged <= found
    assert refused


async def progress(acknowledged: set[str], more: int) -> None:
    """Waits until so many more changes are acknowledged."""
    goal = len(acknowledged) + more
    async with asyncio.timeout(60):
        while len(acknowledged) < goal:
            await asyncio.sleep(0.02)
