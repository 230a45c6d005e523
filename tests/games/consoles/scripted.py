"""A console that does what a test says: what it answers to each line, in which pieces, and when it hangs up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from games.catalog import GameTemplate
from games.resolved import ResolvedTemplate

PASSWORD = "pass-word-1234"
BANNER = b"Logon successful.\r\n\r\n\r\n\r\nPress 'help' to get a list of all commands.\r\n\r\n"
HANG_UP = b"<hang up>"


def fence(line: str) -> bytes:
    """What 7 Days to Die says to a command it does not have."""
    return f"*** ERROR: unknown command '{line}'\r\n".encode()


class Scripted:
    """A console of 7 Days to Die; `answer` gives the bytes for each line after the login."""

    def __init__(self, answer: Callable[[str], bytes] = fence) -> None:
        self.answer = answer
        self.greeting = b"Please enter password:\r\n"
        self.login: Callable[[str], bytes] = lambda _: BANNER
        self.connections = 0
        self.heard: list[str] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.talks: list[asyncio.Task[None]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        talk = asyncio.current_task()
        assert talk is not None
        self.talks.append(talk)
        self.writers.append(writer)
        writer.write(self.greeting)
        logged_in = not self.greeting.startswith(b"Please")
        with contextlib.suppress(ConnectionError):
            while line := (await reader.readline()).decode().rstrip("\n"):
                self.heard.append(line)
                said = self.answer(line) if logged_in else self.login(line)
                logged_in = logged_in or said == BANNER
                if said == HANG_UP:
                    break
                writer.write(said)
                await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self, template: GameTemplate) -> AsyncIterator[ResolvedTemplate]:
        """Listen; the template resolved for this address."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield template.resolve(Path("/srv/x"), {"telnet_password": PASSWORD, "telnet_port": str(port)})
        finally:
            server.close()
            for writer in self.writers:
                writer.transport.abort()
            if self.talks:
                await asyncio.wait(self.talks)
