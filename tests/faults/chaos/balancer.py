"""What stands before the replicas, as in front of every service that has more than one: it asks who is ready."""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

LOOK_EVERY: Final = 0.5
PATIENCE: Final = 3.0
"""Seconds in which a replica says that it is ready; later it is taken out and its connections are cut."""


@dataclass
class Backend:
    """A replica as seen from here."""

    port: int
    ready: bool = False
    connections: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])


class Balancer:
    """One address for all replicas."""

    def __init__(self, ports: Sequence[int]) -> None:
        self._backends = [Backend(port) for port in ports]
        self._turn = itertools.cycle(self._backends)
        self._looking: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self.url = ""

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._looking = [asyncio.create_task(self._look(backend)) for backend in self._backends]

    async def stop(self) -> None:
        for task in self._looking:
            task.cancel()
        for backend in self._backends:
            self._cut(backend)
        if self._server is not None:
            self._server.close()

    def ready(self, port: int) -> bool:
        """Whether the replica at this port said so last time."""
        return next(backend.ready for backend in self._backends if backend.port == port)

    async def _look(self, backend: Backend) -> None:
        while True:
            backend.ready = await _says_ready(backend.port)
            if not backend.ready:
                self._cut(backend)
            await asyncio.sleep(LOOK_EVERY)

    def _cut(self, backend: Backend) -> None:
        for connection in backend.connections:
            connection.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        backend = next((one for one in itertools.islice(self._turn, len(self._backends)) if one.ready), None)
        if backend is not None:
            backend.connections.add(task)
        try:
            if backend is not None:
                await _join(reader, writer, backend.port)
        except (OSError, asyncio.CancelledError):
            pass  # one side hung up, or was cut off
        finally:
            writer.transport.abort()
            if backend is not None:
                backend.connections.discard(task)


async def _join(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Passes on what either side says until one of them hangs up."""
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    ways = [asyncio.create_task(_pump(reader, inner_writer)), asyncio.create_task(_pump(inner_reader, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        inner_writer.transport.abort()
        await asyncio.gather(*ways, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def _says_ready(port: int) -> bool:
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
                return b" 200 " in await reader.readline()
            finally:
                writer.transport.abort()
    return False
