"""LISTEN on one dedicated connection. Notifications only shorten a wait: whoever listens also polls."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from bot import clock
from db.connect import NO_CONNECTION, Connection, Connector

log = logging.getLogger(__name__)

_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 5.0
_LEFT_WITHIN: Final = 1.0


class Listener:
    """One connection for every channel that a process listens to; opened again whenever it is lost."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._connection: Connection | None = None
        self._lost = asyncio.Event()
        self._turn = asyncio.Lock()

    async def listen(self, channel: str, on_notify: Callable[[str], None]) -> None:
        """Calls `on_notify` with each payload, until cancelled. Called with an empty one whenever it begins to listen
        (again): something may have been missed."""

        def heard(_connection: Any, _pid: int, _channel: str, payload: object) -> None:
            on_notify(str(payload))

        while True:
            connection, lost = await self._connected()
            try:
                async with self._turn:
                    await connection.add_listener(channel, heard)
                on_notify("")
                await clock.idle(lost.wait(), f"notifications on {channel}")
            except NO_CONNECTION as error:
                log.warning("cannot listen on %s: %s", channel, error)
                await asyncio.sleep(_FIRST_DELAY)
            finally:
                await self._leave(connection, channel, heard)

    async def _leave(self, connection: Connection, channel: str, heard: Callable[..., None]) -> None:
        """Hears no more. A server that is silent is not waited for: whoever ends could not."""
        try:
            async with asyncio.timeout(_LEFT_WITHIN):
                if not connection.is_closed():
                    async with self._turn:
                        await connection.remove_listener(channel, heard)
        except NO_CONNECTION:
            connection.terminate()

    async def catch_up(self) -> None:
        """Returns when everything notified before this call has been heard: PostgreSQL delivers before it answers."""
        async with self._turn:
            if self._connection is not None and not self._connection.is_closed():
                await self._connection.execute("/* listen.catch_up */ select 1")

    async def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=1)

    async def _connected(self) -> tuple[Connection, asyncio.Event]:
        async with self._turn:
            if self._connection is None or self._connection.is_closed():
                self._lost = lost = asyncio.Event()
                self._connection = await self._open()
                self._connection.add_termination_listener(lambda _connection: lost.set())
            return self._connection, self._lost

    async def _open(self) -> Connection:
        delay = _FIRST_DELAY
        while True:
            try:
                return await self._connector.listening()
            except NO_CONNECTION as error:
                log.warning("not listening (%s), trying again in %.1f s", error, delay)
            await asyncio.sleep(delay)
            delay = min(_LONGEST_DELAY, delay * 2)
