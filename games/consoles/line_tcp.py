"""A connection to a console of lines over TCP: bytes to records, records to whoever is talking."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Final

from games.consoles.codec import RecordSplitter, encode_line
from games.consoles.conversation import Exchange, LoginTalk
from games.consoles.errors import ConsoleUnreachable, LoginRefused
from games.consoles.pace import Pacer
from games.resolved import ResolvedConsole

_CHUNK: Final = 65536


class ConnectionLost(Exception):
    """The console hung up in the middle of an exchange."""


class LineTcp:
    """One connection. Whoever gives up on an exchange closes it: its answer could be taken for the next one's."""

    def __init__(
        self,
        console: ResolvedConsole,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_log: Callable[[str], None],
    ) -> None:
        self._spec = console.spec
        self._reader = reader
        self._writer = writer
        self._on_log = on_log
        self._own_address = str(writer.get_extra_info("sockname")[0])
        self._splitter = RecordSplitter(console.spec.record_end, console.spec.strip)
        self._pacer = Pacer(console.spec.pace)
        self._feed: Callable[[str], tuple[str, ...]] = _to_log
        self._news = asyncio.Event()
        self.open = True
        self._listening = asyncio.create_task(self._listen())

    @property
    def own_address(self) -> str:
        """Our side of the connection."""
        return self._own_address

    @classmethod
    async def connect(cls, console: ResolvedConsole, on_log: Callable[[str], None]) -> "LineTcp":
        """Connect and log in. ConsoleUnreachable or LoginRefused when that does not come to an end in time."""
        try:
            async with asyncio.timeout(console.spec.login.timeout):
                reader, writer = await asyncio.open_connection(console.host, console.port)
        except (OSError, TimeoutError) as error:
            raise ConsoleUnreachable("The game's console does not answer: the game is down or starting.") from error
        # Hang up by reset: else the game's side of the port lingers a minute after its end, and where the game does not
        # ask for reuse (Teeworlds) its next start has no console.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection = cls(console, reader, writer, on_log)
        try:
            await connection._login(console)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _login(self, console: ResolvedConsole) -> None:
        talk = LoginTalk(console.spec.login, console.password)

        def feed(record: str) -> tuple[str, ...]:
            talk.feed(record)
            return ()

        self._feed = feed
        try:
            async with asyncio.timeout(console.spec.login.timeout):
                while talk.state == "waiting":
                    await self._until(lambda: talk.reply is not None or talk.state != "waiting")
                    reply, talk.reply = talk.reply, None
                    if reply is not None and talk.state == "waiting":
                        await self._write(reply)
        except (ConnectionLost, TimeoutError) as error:
            raise ConsoleUnreachable("The game's console took the connection but let nobody in.") from error
        finally:
            self._feed = _to_log
        if talk.state == "bad":
            raise LoginRefused("The game's console does not take the password that this host has for it.")
        if talk.state == "locked":
            raise LoginRefused("The game's console has locked this host out after too many attempts.")

    async def ask(self, exchange: Exchange) -> None:
        """Send a command and wait until its answer is complete. ConnectionLost when the console hangs up first."""
        self._feed = exchange.feed
        try:
            await self._write(*exchange.send)
            await self._until(lambda: exchange.done)
        finally:
            self._feed = _to_log

    async def ready_to_send(self, lines: int) -> None:
        """Wait until the pace allows so many more lines."""
        await self._pacer.take(lines)

    async def _write(self, *lines: str) -> None:
        try:
            self._writer.write(b"".join(encode_line(line) for line in lines))
            await self._writer.drain()
        except OSError as error:
            raise ConnectionLost from error

    async def _until(self, done: Callable[[], bool]) -> None:
        while not done():
            if not self.open:
                raise ConnectionLost
            self._news.clear()
            await self._news.wait()

    async def _listen(self) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := await self._reader.read(_CHUNK):
                    for record in self._splitter.feed(data):
                        for other in self._feed(record):
                            self._on_log(other)
                    self._news.set()
        finally:
            self.open = False
            self._writer.transport.abort()
            self._news.set()

    async def close(self) -> None:
        """Hang up at once; the console needs no goodbye."""
        self.open = False
        self._listening.cancel()
        self._writer.transport.abort()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(self._listening, return_exceptions=True)


def _to_log(record: str) -> tuple[str, ...]:
    return (record,)
