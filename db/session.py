"""A session that sends text statements straight to asyncpg.

Everything on the way of a command is such a statement. Through SQLAlchemy's execution each costs four times as much
processor time as in asyncpg itself, and that, not PostgreSQL, is what an interaction would wait for. What is no text
(an ORM query) goes the usual way, on the same connection and in the same transaction. There are no savepoints: what
violates a constraint ends its transaction.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, cast

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Executable, IteratorResult, Result, ScalarResult, TextClause
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi, PGDialect_asyncpg
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from db import timing
from db.connect import NO_CONNECTION, Connection

_DIALECT: Final = PGDialect_asyncpg()
_STATEMENTS: Final = 2_000
_UNDO_SECONDS: Final = 1.0
_NO_ROWS: Final = SimpleResultMetaData(("nothing",))
Processor = Callable[[Any], Any]


class Session(AsyncSession):
    """What queries are given. Its engine is in autocommit: `transaction` says where one begins and ends."""

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection) -> None:
        # Not the parent's: it costs as much processor time as a statement, and most sessions send nothing but text.
        # `__getattr__` makes up for it at the first thing that is none.
        self._engine = engine
        self._pooled = pooled
        self._driver = cast("Connection", pooled.driver_connection)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self._is_whole:
            raise AttributeError(name)
        connection = SyncConnection(self._engine.sync_engine, self._pooled)
        super().__init__(AsyncConnection(self._engine, connection), expire_on_commit=False)
        return getattr(self, name)

    @property
    def _is_whole(self) -> bool:
        return "sync_session" in vars(self)

    async def execute(self, statement: Executable, params: Any = None, **options: Any) -> Result[Any]:
        if not isinstance(statement, TextClause) or options or not isinstance(params, Mapping | None):
            return await super().execute(statement, params, **options)
        return await self._send(_plan(statement), cast("Mapping[str, Any]", params or {}))

    async def scalar(self, statement: Executable, params: Any = None, **options: Any) -> Any:
        return (await self.execute(statement, params, **options)).scalar()

    async def scalars(self, statement: Executable, params: Any = None, **options: Any) -> ScalarResult[Any]:
        return (await self.execute(statement, params, **options)).scalars()

    async def flush(self, objects: Any = None) -> None:
        if self._is_whole and (self.new or self.dirty or self.deleted):
            await super().flush(objects)

    async def _send(self, plan: "_Plan", params: Mapping[str, Any]) -> Result[Any]:
        values = [params[name] if process is None else process(params[name]) for name, process in plan.parameters]
        began, verb = time.perf_counter(), "failed after"
        try:
            with self._errors(plan.sql):
                records = await self._driver.fetch(plan.sql, *values)
            verb = "took"
        finally:
            timing.report(plan.name, verb, began)
        return plan.result(records)

    async def copy(self, name: str, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Writes rows by COPY, in the transaction that is open here. `name` is what its time is reported under."""
        began, verb = time.perf_counter(), "failed after"
        try:
            with self._errors(name):
                await self._driver.copy_records_to_table(table, records=rows, columns=columns)
            verb = "took"
        finally:
            timing.report(name, verb, began)

    @contextmanager
    def _errors(self, sql: str) -> Iterator[None]:
        """Raises asyncpg's errors as those that SQLAlchemy would raise."""
        try:
            yield
        except asyncpg.IntegrityConstraintViolationError as error:
            raise IntegrityError(sql, None, error) from error
        except asyncpg.SyntaxOrAccessError as error:
            raise ProgrammingError(sql, None, error) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DBAPIError(sql, None, error) from error
        except asyncpg.InternalClientError as error:  # the server went away between two statements
            self._driver.terminate()
            raise DBAPIError(sql, None, error) from error
        except asyncio.CancelledError:  # nobody can say what a connection still owes to a statement that was broken off
            self._driver.terminate()
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        """Commits at its end; leaves nothing behind when that is not reached."""
        with self._errors("begin"):
            await self._driver.execute("begin")
        try:
            yield
            await self.flush()
            with self._errors("commit"):
                ended = await self._driver.execute("commit")
            if ended != "COMMIT":
                raise AssertionError("a statement had failed, and whoever caught its error went on")
        finally:
            if self._unfinished:
                await self._undo()

    @property
    def _unfinished(self) -> bool:
        return not self._driver.is_closed() and self._driver.is_in_transaction()

    async def _undo(self) -> None:
        try:
            async with asyncio.timeout(_UNDO_SECONDS):
                await self._driver.execute("rollback")
        except NO_CONNECTION:
            pass  # the server is away or silent: it rolls back by itself
        finally:
            if self._unfinished:
                self._driver.terminate()  # nobody may get it from the pool like this


@asynccontextmanager
async def opened(engine: AsyncEngine) -> AsyncGenerator[Session]:
    """A session on a connection of its own, which goes back to the pool."""
    try:
        pooled = await engine.raw_connection()
    except AsyncAdapt_asyncpg_dbapi.Error as error:  # as `engine.connect` would raise it
        raise DBAPIError("connect", None, error) from error
    try:
        yield Session(engine, pooled)
    finally:
        await greenlet_spawn(pooled.close)


@dataclass
class _Plan:
    """A text statement as asyncpg takes it."""

    sql: str
    name: str
    parameters: list[tuple[str, Processor | None]]
    metadata: SimpleResultMetaData = field(default=_NO_ROWS)
    keys: tuple[str, ...] = ()

    def result(self, records: list[Any]) -> Result[Any]:
        if not records:
            return IteratorResult(_NO_ROWS, iter(()))
        keys = tuple(records[0].keys())
        if keys != self.keys:
            self.keys, self.metadata = keys, SimpleResultMetaData(keys)
        return IteratorResult(self.metadata, iter([tuple(record) for record in records]))


@lru_cache(_STATEMENTS)
def _plan(statement: TextClause) -> _Plan:
    compiled: Any = statement.compile(dialect=_DIALECT)
    parameters = [(name, _processor(compiled.binds[name].type)) for name in compiled.positiontup or ()]
    return _Plan(compiled.string, timing.name_of(compiled.string, statement.get_execution_options()), parameters)


def _processor(kind: Any) -> Processor | None:
    return kind.dialect_impl(_DIALECT).bind_processor(_DIALECT)
