"""The database of the long form: as durable as it is for everybody, and killed once."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from db.embedded import EmbeddedPostgres
from tests.database import TestServer, open_directory


@asynccontextmanager
async def durable() -> AsyncGenerator[tuple[EmbeddedPostgres, str]]:
    """A server of this test's own, which is started again whenever it dies, and the URL of a migrated database."""
    with open_directory() as directory:
        server = EmbeddedPostgres(directory / "postgres", settings={"max_connections": "200"})
        server.start()
        tests = TestServer(server)
        await asyncio.to_thread(tests.prepare)
        watching = asyncio.create_task(server.watch())
        try:
            yield server, await tests.create()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            server.stop()


async def kill(server: EmbeddedPostgres, after: float) -> None:
    """kill -9, once, in the middle of all else."""
    await asyncio.sleep(after)
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
