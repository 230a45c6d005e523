"""One telnet connection: lines in, records out in small packets. It knows no command."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator

from bot.demo.sevendays.faults import Faults

CHUNK = 64  # characters in a packet
BACKLOG = 4_000_000  # characters that a client may leave unread before it is cut off
_LINE = re.compile(rb"[\r\n]")


class Session:
    """Nothing is negotiated. Output waits `poll` seconds, as the real server looks at its queue only so often."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, faults: Faults, poll: float) -> None:
        self._reader = reader
        self._writer = writer
        self._faults = faults
        self._poll = poll
        self._texts: list[str] = []
        self._waiting = asyncio.Event()
        self.closing = False
        self.authenticated = False
        self.ip, self.port = writer.get_extra_info("peername")[:2]

    @property
    def address(self) -> str:
        return f"{self.ip}:{self.port}"

    def line(self, text: str) -> None:
        """Send one record of an answer."""
        self.raw(text + "\r\n")

    def record(self, text: str) -> None:
        """Send a log record. Who is not logged in gets a NUL byte in its place."""
        self.raw(text + "\r\n" if self.authenticated else "\0")

    def raw(self, text: str) -> None:
        self._texts.append(text)
        self._waiting.set()

    def close(self) -> None:
        """Close as soon as everything said so far is sent; what is said later is not."""
        self.closing = True
        self._waiting.set()

    async def lines(self) -> AsyncIterator[str]:
        """Trimmed lines that are not empty, until the other side closes. A last line without an end is dropped."""
        rest = b""
        while data := await self._received():
            *whole, rest = _LINE.split(rest + data)
            for line in whole:
                if text := line.decode(errors="replace").strip():
                    yield text

    async def pump(self) -> None:
        """Send what is queued, until `close` or until the other side is gone."""
        with contextlib.suppress(ConnectionError):
            await self._pump()

    async def _received(self) -> bytes:
        try:
            return await self._reader.read(4096)
        except ConnectionError:
            return b""

    async def _pump(self) -> None:
        while not (self.closing and not self._texts):
            await self._waiting.wait()
            await asyncio.sleep(self._poll)
            await self._faults.running()
            self._waiting.clear()
            texts, self._texts = self._texts, []
            if sum(map(len, texts)) > BACKLOG:
                return
            for count, packet in enumerate(packets("".join(texts), self._faults.dribble)):
                self._writer.write(packet)
                await self._writer.drain()
                if self._faults.dribble:  # the other side has to read before the next packet to see it at all
                    await asyncio.sleep(0 if count % 8 else 0.0005)


def packets(text: str, dribble: int) -> Iterator[bytes]:
    """Cut a text into packets: by characters as the game does, or through the middle of characters for a test."""
    if dribble:
        data = text.encode(errors="replace")
        yield from (data[start : start + dribble] for start in range(0, len(data), dribble))
    else:
        yield from (text[start : start + CHUNK].encode(errors="replace") for start in range(0, len(text), CHUNK))
