"""A process's connections: for look-ups, for units of work, and one that listens."""

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.domain.actors import Actor
from db import timing, uow
from db.connect import Connection, Connector
from db.failures import translated
from db.listen import Listener
from db.queries.operations import Held
from db.session import Session, opened

_POOL_WAIT: Final = 2.0
"""Seconds a request waits for a connection: less than the three that Discord waits for us."""
_RECYCLE: Final = 1800
_PREPARED_STATEMENTS: Final = 500


class Database:
    """One per process and role. `role` decides how long a statement may run and names the connections.

    Never more than `pool_size + max_overflow` connections: two thirds for changes, one third for look-ups.
    Belongs to the event loop that first uses it."""

    def __init__(self, url: str, *, role: str = "interactions", pool_size: int = 10, max_overflow: int = 5) -> None:
        connector = Connector(url, role)
        readers, spare = max(1, pool_size // 3), max_overflow // 3
        self.engine: AsyncEngine = _pooled(connector.writing, max(1, pool_size - readers), max_overflow - spare)
        self._readers = _pooled(connector.reading, readers, spare)
        self._listener = Listener(connector)
        self._held: Callable[[], Held] | None = None

    def under(self, held: Callable[[], Held]) -> "Database":
        """The same connections for what is done under a duty: every change checks that it is still held.

        `held` says how it is held now, and raises `Conflict` where it is not."""
        led = copy.copy(self)
        led._held = held
        return led

    @property
    def epoch(self) -> int:
        """Grows with every change of who has the duty that is written under; 0 without one. What was remembered in
        another one somebody else may have changed since.

        Raises:
            Conflict: the duty is not held.
        """
        return self._held().epoch if self._held else 0

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Session]:
        """Look-ups, on a connection that cannot write.

        Each statement is its own transaction: at our isolation level it would see the same inside a common one, and
        so it costs one round trip instead of three.

        Raises:
            Unavailable: the database is away or overloaded.
        """
        with translated():
            async with opened(self._readers) as session:
                yield session

    @asynccontextmanager
    async def statement(self) -> AsyncGenerator[Session]:
        """A single statement that writes and is its own transaction, in one round trip instead of three. For hosts and
        ticks: whatever leaves an audit row is a unit of work.

        Raises:
            Unavailable: the database is away or overloaded.
        """
        held = self._held() if self._held else None
        with translated():
            async with opened(self.engine) as session:
                if held is None:
                    yield session
                else:
                    async with uow.fenced(session, held):
                        yield session

    def uow(self, actor: Actor) -> AbstractAsyncContextManager[uow.Tx]:
        """One change: its transaction with its audit row."""
        return uow.unit_of_work(self.engine, actor, self._held() if self._held else None)

    async def listen(self, channel: str, on_notify: Callable[[str], None]) -> None:
        """Waits for notifications until cancelled; see `Listener.listen`."""
        await self._listener.listen(channel, on_notify)

    async def catch_up(self) -> None:
        """Returns when everything notified before this call has been heard."""
        await self._listener.catch_up()

    async def close(self) -> None:
        await self._listener.close()
        await self.engine.dispose()
        await self._readers.dispose()


def _pooled(open_one: Callable[..., Awaitable[Connection]], size: int, overflow: int) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=open_one,
        isolation_level="AUTOCOMMIT",  # `Session.transaction` begins and ends what is more than one statement
        connect_args={"prepared_statement_cache_size": _PREPARED_STATEMENTS},
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=_POOL_WAIT,
        pool_recycle=_RECYCLE,
        # every session ends its own transaction, so nothing is left to reset
        pool_reset_on_return=None,
        native_inet_types=False,
    )
    timing.watch(engine.sync_engine)
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "close", _hang_up)
    return engine


def _refuse_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server has closed meanwhile is replaced. asyncpg knows without asking: no round trip."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


def _hang_up(dbapi_connection: Any, _record: Any) -> None:
    """A server that is silent takes no leave, and nobody can wait until it does. Every transaction has ended here."""
    dbapi_connection.driver_connection.terminate()
