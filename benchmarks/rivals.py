"""Queues from PyPI on the same PostgreSQL: procrastinate and pgqueuer, each with its worker in a process of its own.

A worker says of each job, on its output, when it has begun it: on the clock that all processes of a machine share.
"""

import asyncio
import importlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast

import procrastinate
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries

asyncpg = cast(Any, importlib.import_module("asyncpg"))  # it says nothing of its types

_AT_ONCE: Final = 50
"""Jobs that a worker has in hand: as many as a claim of ours takes."""
_WARM_UP: Final = 50
_QUEUE: Final = "bench"
_PAUSE: Final = 0.02

Enqueue = Callable[[int], Awaitable[object]]

_WAITING: Final[Mapping[str, str]] = {
    "procrastinate": """
        insert into procrastinate_jobs (queue_name, task_name, args)
        select 'bench', 'work', jsonb_build_object('number', n) from generate_series(1, $1) n""",
    "pgqueuer": """
        insert into pgqueuer (priority, status, entrypoint, payload)
        select 0, 'queued', 'work', convert_to(n::text, 'UTF8') from generate_series(1, $1) n""",
}


@dataclass(frozen=True)
class Rival:
    """One of them in a database of its own."""

    name: str
    url: str

    async def install(self, waiting: int) -> None:
        """Makes its tables, with so many jobs in them."""
        if self.name == "procrastinate":
            async with _app(self.url).open_async() as app:
                await app.schema_manager.apply_schema_async()
        connection = await asyncpg.connect(self.url)
        try:
            if self.name == "pgqueuer":
                await Queries(AsyncpgDriver(connection)).install()
            await connection.execute("set session_replication_role = replica")  # no events of a million jobs
            await connection.execute(_WAITING[self.name], waiting)
            await connection.execute("analyze")
        finally:
            await connection.close()

    @asynccontextmanager
    async def enqueuing(self) -> AsyncIterator[Enqueue]:
        """How a job gets into it, by its own means."""
        if self.name == "procrastinate":
            async with _app(self.url).open_async() as app:
                yield lambda number: app.configure_task("work", queue=_QUEUE).defer_async(number=number)
            return
        connection = await asyncpg.connect(self.url)
        try:
            queries = Queries(AsyncpgDriver(connection))
            yield lambda number: queries.enqueue("work", str(number).encode(), 0)
        finally:
            await connection.close()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[asyncio.StreamReader]:
        """Its worker; what it says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from benchmarks import rivals; rivals.work()",  # as a library, which is how procrastinate wants its app
            self.name,
            self.url,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            if process.stdout is None:
                raise RuntimeError("nobody listens to the worker")
            yield process.stdout
        finally:
            process.kill()
            await process.wait()

    async def latencies(self, count: int) -> list[float]:
        """Milliseconds from the commit of each job until it was begun, one after the other."""
        found: list[float] = []
        async with self.working() as said, self.enqueuing() as enqueue:
            for number in range(-5, count):
                await asyncio.sleep(_PAUSE)
                await enqueue(number)
                committed = time.perf_counter()
                begun = await _next(said)
                found += [(begun - committed) * 1000] if number >= 0 else []
        return found

    async def rate(self, count: int) -> float:
        """Jobs a second, of those that wait."""
        async with self.working() as said:
            for _ in range(_WARM_UP):
                await _next(said)
            first = last = await _next(said)
            for _ in range(count):
                last = await _next(said)
        return count / (last - first)


async def _next(said: asyncio.StreamReader) -> float:
    async with asyncio.timeout(60):
        line = await said.readline()
    if not line:
        raise RuntimeError("the worker ended")
    return float(line)


# ------------------------------------------------------------------------------------------------------- the workers


def _say() -> None:
    os.write(1, f"{time.perf_counter()}\n".encode())


def _app(url: str) -> procrastinate.App:
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))


async def _procrastinate(url: str) -> None:
    app = _app(url)

    async def work(number: int) -> None:
        _say()

    app.task(name="work", queue=_QUEUE)(work)
    async with app.open_async():
        await app.run_worker_async(queues=[_QUEUE], concurrency=_AT_ONCE, install_signal_handlers=False)


async def _pgqueuer(url: str) -> None:
    connection = await asyncpg.connect(url)
    worker = PgQueuer.from_asyncpg_connection(connection)

    @worker.entrypoint("work")
    async def work(job: Job) -> None:
        _say()

    await worker.run(batch_size=_AT_ONCE)


def work() -> None:
    """Is the worker whose name and database are the arguments of this process, for ever."""
    asyncio.run({"procrastinate": _procrastinate, "pgqueuer": _pgqueuer}[sys.argv[1]](sys.argv[2]))
