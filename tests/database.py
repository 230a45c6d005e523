"""One PostgreSQL for a test run (one per xdist worker), one migrated and seeded database for each test."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from db import migrate
from db.connect import Connector
from db.embedded import EmbeddedPostgres
from db.seed import seed
from games.catalog import load_catalog

#: Durability costs time and no test pulls the plug of the machine.
FAST: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
}
_ROOM = 2 * 2**30
_TEMPLATE = "template_of_tests"


class TestServer:
    """A running server that makes databases as fast as copying files."""

    __test__ = False

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self._numbers = count(1)

    def prepare(self) -> None:
        """Migrates and seeds the template once."""
        self.server.create_database(_TEMPLATE)
        asyncio.run(self._fill(self.server.dsn(_TEMPLATE)))

    async def create(self, *, empty: bool = False) -> str:
        """The URL of a new database: migrated and seeded, or `empty`."""
        return await self._copy("template0" if empty else _TEMPLATE)

    async def copy(self, url: str) -> str:
        """The URL of a new database like another one, to which nobody may be connected."""
        return await self._copy(_name(url))

    async def _copy(self, source: str) -> str:
        name = f"test_{next(self._numbers)}"
        await self.execute(f"create database {name} template {source} strategy file_copy")
        return self.server.dsn(name)

    async def drop(self, url: str) -> None:
        await self.execute(f"drop database if exists {_name(url)} with (force)")

    async def execute(self, statement: str) -> None:
        """Runs one statement on the server as a whole."""
        connection = await Connector(self.server.dsn("postgres"), "tests").listening()
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @staticmethod
    async def _fill(url: str) -> None:
        await migrate.upgrade(url)
        # the template may be copied only while nobody is connected to it
        async with migrate.connected(url) as connection, AsyncSession(connection) as session:
            games = {game.id: (game.name, game.capabilities) for game in load_catalog().values()}
            await seed(session, games)
            await session.commit()


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]


@contextmanager
def open_directory(*, in_memory: bool = False) -> Iterator[Path]:
    """A directory that every user may enter, unlike pytest's: as root, the server runs as somebody else."""
    directory = Path(tempfile.mkdtemp(prefix="gamekeeper-test-", dir=_memory() if in_memory else None))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _memory() -> Path | None:
    """Where files cost no disk: a database is copied there in a fifth of the time. None where there is too little."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        return None
    found = os.statvfs(memory)
    roomy = found.f_bavail * found.f_frsize > _ROOM
    return memory if roomy and not found.f_flag & os.ST_NOEXEC else None


@contextmanager
def running(bindir: Path | None = None) -> Iterator[TestServer]:
    """A server for tests, prepared; stopped and removed at the end."""
    with open_directory(in_memory=True) as directory:
        server = EmbeddedPostgres(directory / "postgres", settings=FAST, bindir=bindir)
        server.start()
        try:
            tests = TestServer(server)
            tests.prepare()
            yield tests
        finally:
            server.stop()
