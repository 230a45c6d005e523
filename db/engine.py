"""The one pool of a process, its read transactions, its units of work and its listening connection."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from bot.domain.actors import Actor
from db import timing, uow
from db.connect import Connector
from db.failures import translated
from db.listen import Listener

_POOL_WAIT: Final = 2.0
"""Seconds a request waits for a connection: less than the three that Discord waits for us."""
_RECYCLE: Final = 1800
_PREPARED_STATEMENTS: Final = 500


class Database:
    """One per process and role. `role` decides how long a statement may run and names the connections.

    Belongs to the event loop that first uses it."""

    def __init__(self, url: str, *, role: str = "interactions", pool_size: int = 10, max_overflow: int = 5) -> None:
        connector = Connector(url, role)
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connector.pooled,
            connect_args={"prepared_statement_cache_size": _PREPARED_STATEMENTS},
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=_POOL_WAIT,
            pool_recycle=_RECYCLE,
            # every session ends its own transaction, so nothing is left to reset
            pool_reset_on_return=None,
            native_inet_types=False,
        )
        self._readers = self.engine.execution_options(postgresql_readonly=True)
        self._listener = Listener(connector)
        timing.watch(self.engine.sync_engine)
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """Look-ups: a read-only transaction that is rolled back.

        Raises:
            Unavailable: the database is away or overloaded.
        """
        with translated():
            async with AsyncSession(self._readers, expire_on_commit=False) as session:
                yield session

    def uow(self, actor: Actor) -> AbstractAsyncContextManager[uow.Tx]:
        """One change: its transaction with its audit row."""
        return uow.unit_of_work(self.engine, actor)

    async def listen(self, channel: str, on_notify: Callable[[str], None]) -> None:
        """Waits for notifications until cancelled; see `Listener.listen`."""
        await self._listener.listen(channel, on_notify)

    async def catch_up(self) -> None:
        """Returns when everything notified before this call has been heard."""
        await self._listener.catch_up()

    async def close(self) -> None:
        await self._listener.close()
        await self.engine.dispose()


def _refuse_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that the server has closed meanwhile is replaced. asyncpg knows without asking: no round trip."""
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError
