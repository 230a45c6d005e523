"""Stands between the bot and PostgreSQL, and steals the answer to one commit: it is done, and nobody is told."""

import asyncio
from pathlib import Path
from typing import Self

from tests.wire.waiting import eventually

_SOCKET = ".s.PGSQL.5432"


class CommitThief:
    """A proxy on a Unix socket in `directory`. Waits for a transaction that carries certain words."""

    def __init__(self, server: Path, directory: Path) -> None:
        self.directory = directory
        self.stolen = False
        self._server = server
        self._words = b""
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    def wait_for(self, words: str) -> None:
        self._words = words.encode()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_unix_server(self._connected, self.directory / _SOCKET)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until_stolen(self) -> None:
        await eventually(lambda: self.stolen, what=lambda: "the commit")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._server / _SOCKET)
        caught = asyncio.Event()
        for pump in (self._up(reader, up_writer, caught), self._down(up_reader, writer, caught)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caught: asyncio.Event) -> None:
        marked = False
        while data := await reader.read(1 << 16):
            marked = marked or bool(self._words and self._words in data)
            if marked and b"commit" in data.lower():
                caught.set()
            writer.write(data)
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, caught: asyncio.Event) -> None:
        while data := await reader.read(1 << 16):
            if caught.is_set():
                self.stolen = True
                break
            writer.write(data)
        writer.close()
