"""Lives of the bot that end at an await: each on a copy of one database, with Discord outliving them all."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from db.engine import Database
from tests.database import TestServer
from tests.faults.likeness import Likeness, likeness
from tests.wire.discord_server import DiscordServer
from tests.wire.waiting import eventually

_PROJECT: Final = Path(__file__).parents[2]
_OTHERS: Final = """select count(*) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()"""


@dataclass
class Life:
    """One process of the bot on one database."""

    lives: "Lives"
    pid: int

    async def end(self) -> dict[str, Any]:
        """Waits for it: its `awaits`, if it came to its end, or where it `died_at`."""
        said = await self.lives.answer()
        assert "awaits" in said or said["signal"] == signal.SIGKILL, self.lives.log.read_text()[-3000:]
        return said

    async def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        await self.end()


class Lives:
    """The process that all of them are forked from."""

    def __init__(self, discord: DiscordServer, place: Path) -> None:
        self.discord, self.place = discord, place
        self.log = place / "lives.log"
        self._process: asyncio.subprocess.Process | None = None
        self._pid = 0

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.faults.points", self.discord.url,
                cwd=_PROJECT,
                env={name: value for name, value in os.environ.items() if not name.startswith("GAMEKEEPER_")},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )  # fmt: skip

    async def stop(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        self._process.stdin.close()
        await self._process.wait()

    async def begin(self, database: str, *, kill_at: int = 0, stays: bool = False) -> Life:
        """A bot that is connected. It dies at this await of the interaction that it is sent (0: at none), and ends
        with that interaction unless it `stays`."""
        assert self._process is not None and self._process.stdin is not None
        await eventually(lambda: not self.discord.gateway.connected, what=lambda: "the end of the life before")
        order = {"database": database, "data": str(self.place), "kill_at": kill_at, "stays": stays}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._pid = (await self._line())["pid"]
        await self.discord.gateway.until_connected()
        return Life(self, self._pid)

    async def answer(self) -> dict[str, Any]:
        said = await self._line()
        self._pid = 0
        return said

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        async with asyncio.timeout(30):
            line = await self._process.stdout.readline()
        assert line, f"it ended:\n{self.log.read_text()[-3000:]}"
        return json.loads(line)


@dataclass
class Copy:
    """A copy of the database in which everything was prepared."""

    server: TestServer
    url: str
    db: Database

    async def alone(self) -> None:
        """Waits until nothing of a killed process goes on in here: what it had sent may still be carried out."""

        async def look() -> bool:
            return (await self.rows(_OTHERS))[0][0] == 0

        await eventually(look, what=lambda: "the end of its connections")

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        async with self.db.read() as session:
            return [tuple(row) for row in await session.execute(text(statement), values)]

    async def likeness(self) -> Likeness:
        await self.alone()
        return await likeness(self.db)


@asynccontextmanager
async def copied(server: TestServer, source: str) -> AsyncIterator[Copy]:
    """A database like another one that nobody is connected to."""
    url = await server.copy(source)
    db = Database(url, role="tests", pool_size=1, max_overflow=0)
    try:
        yield Copy(server, url, db)
    finally:
        await db.close()
        await server.drop(url)
