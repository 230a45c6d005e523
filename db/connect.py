"""Opens asyncpg connections: with our timeouts, under our name, tried once more when the server is just coming up."""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import asyncpg

from db.url import address

log = logging.getLogger(__name__)


class Connection(Protocol):
    """What we use of `asyncpg.Connection`, which comes without types."""

    async def execute(self, query: str, *args: Any) -> str: ...
    async def fetch(self, query: str, *args: Any) -> list[Any]: ...
    async def copy_records_to_table(
        self, table: str, *, records: Sequence[Sequence[Any]], columns: Sequence[str]
    ) -> str: ...
    async def add_listener(self, channel: str, callback: Callable[[Any, int, str, object], None]) -> None: ...
    async def remove_listener(self, channel: str, callback: Callable[[Any, int, str, object], None]) -> None: ...
    def add_termination_listener(self, callback: Callable[[Any], None]) -> None: ...
    def is_closed(self) -> bool: ...
    def is_in_transaction(self) -> bool: ...
    def terminate(self) -> None: ...
    async def close(self, *, timeout: float | None = None) -> None: ...


_connect = cast("Callable[..., Awaitable[Connection]]", cast("Any", asyncpg).connect)

NO_CONNECTION: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What opening or losing a connection may raise."""
_RETRY_AFTER: Final = 0.2
_COMING_UP: Final = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)
_COMING_UP_SECONDS: Final = 60.0
_STATEMENT_SECONDS: Final[Mapping[str, float]] = {"interactions": 5, "leases": 5, "migrations": 0}
_OTHERWISE_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 1.0
_PREPARED_STATEMENTS: Final = 500


@dataclass(frozen=True)
class Connector:
    """Opens the connections of one process and role."""

    url: str
    role: str

    @property
    def statement_seconds(self) -> float:
        """How long a statement may run, 0 = without limit: a person waits for an interaction, nobody for a worker."""
        return _STATEMENT_SECONDS.get(self.role, _OTHERWISE_SECONDS)

    def _settings(self) -> dict[str, str]:
        return {
            "application_name": f"gamekeeper {self.role}",
            "statement_timeout": f"{self.statement_seconds:g}s",
            "lock_timeout": "2s",
            "idle_in_transaction_session_timeout": "15s",
            "timezone": "UTC",
            # None of our statements runs for long, but those that join a lot look as if: compiling them costs 300 ms.
            "jit": "off",
        }

    async def writing(self, **_: Any) -> Connection:
        """A connection for changes. The server ends a slow statement; a silent server is given up a second later."""
        return await self._for_statements(self._settings())

    async def reading(self, **_: Any) -> Connection:
        """A connection on which every change is refused."""
        return await self._for_statements(self._settings() | {"default_transaction_read_only": "on"})

    async def listening(self) -> Connection:
        """A connection that waits for notifications. It is idle for hours, so it has no timeouts."""
        return await self._open(server_settings={"application_name": f"gamekeeper {self.role} listen"})

    async def come_up(self, patience: float = _COMING_UP_SECONDS) -> None:
        """Waits for a server that does not take connections yet, as after a crash or while its machine boots.

        After `patience` seconds it is left to the next user of the database to say what is wrong."""
        end, told = time.monotonic() + patience, False
        while time.monotonic() < end:
            try:
                connection = await _connect(address(self.url).dsn, timeout=address(self.url).timeout)
            except socket.gaierror:
                return
            except _COMING_UP as error:
                if not told:
                    log.warning("PostgreSQL is not up (%s), waiting for it for %.0f s at most", error, patience)
                told = True
                await asyncio.sleep(_RETRY_AFTER)
            except NO_CONNECTION:
                return
            else:
                await connection.close()
                return

    async def _for_statements(self, settings: Mapping[str, str]) -> Connection:
        patience = self.statement_seconds + _GRACE_SECONDS if self.statement_seconds else None
        return await self._open(
            command_timeout=patience,
            server_settings=settings,
            statement_cache_size=_PREPARED_STATEMENTS,
            max_cached_statement_lifetime=0,  # our statements are constants: none gets stale
        )

    async def _open(self, **options: Any) -> Connection:
        where = address(self.url)
        try:
            return await _connect(where.dsn, timeout=where.timeout, **options)
        except _COMING_UP as error:
            log.warning("no connection to PostgreSQL (%s), trying once more", error)
        await asyncio.sleep(_RETRY_AFTER)
        return await _connect(where.dsn, timeout=where.timeout, **options)
