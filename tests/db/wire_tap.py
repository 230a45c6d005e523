"""Stands between a client and PostgreSQL and counts how often the client waits for an answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_WAITS: Final = (b"S", b"Q")
"""Sync and Query: each is answered by ReadyForQuery, that is, one round trip."""


class WireTap:
    """A proxy on a Unix socket. `stalled` holds back what the server says."""

    def __init__(self) -> None:
        self.round_trips = 0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, socket: Path, server: Path) -> asyncio.Server:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            up_reader, up_writer = await asyncio.open_unix_connection(server)
            for pump in (self._count(reader, up_writer), self._pass(up_reader, writer)):
                task = asyncio.create_task(pump)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        return await asyncio.start_unix_server(connected, socket)

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            length = await reader.readexactly(4)
            writer.write(length + await reader.readexactly(int.from_bytes(length) - 4))
            while True:
                kind, length = await reader.readexactly(1), await reader.readexactly(4)
                self.round_trips += kind in _WAITS
                writer.write(kind + length + await reader.readexactly(int.from_bytes(length) - 4))
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.flowing.wait()
                writer.write(data)
        except OSError:
            pass
        writer.close()

    def cut(self) -> None:
        for task in self._tasks:
            task.cancel()


@asynccontextmanager
async def tapped(server: Path, directory: Path) -> AsyncGenerator[tuple[WireTap, Path]]:
    """A tap before the server's socket directory, and the directory to connect to instead."""
    tap = WireTap()
    running = await tap.serve(directory / ".s.PGSQL.5432", server / ".s.PGSQL.5432")
    try:
        yield tap, directory
    finally:
        tap.cut()
        running.close()
