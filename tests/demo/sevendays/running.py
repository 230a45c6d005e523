"""One server as a real process, and a console on it that speaks raw sockets."""

import asyncio
import itertools
import re
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bot.demo.sevendays.control import Control
from bot.demo.sevendays.install import install

RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \d+\.\d{3} (INF|WRN|ERR|EXC) (?P<message>.*)", re.DOTALL)
PASSWORD = "s3cret & <odd>"
HURRY: Final = {
    "SEVENDAYS_START_SECONDS": "0.03",
    "SEVENDAYS_STOP_SECONDS": "0",
    "SEVENDAYS_FRAME_SECONDS": "0.001",
    "SEVENDAYS_POLL_SECONDS": "0.001",
    "SEVENDAYS_WATCH_SECONDS": "0.03",
}
_fences = itertools.count(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """A server in `directory`. `properties` go into serverconfig.xml, `environment` to the process."""

    def __init__(self, directory: Path, properties: dict[str, str] | None = None, **environment: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.control = Control(directory)
        self.log_file = directory / "logs/output_log__1.txt"
        self.environment = HURRY | environment
        self.executable = install(directory)
        self.configure({"TelnetPort": str(self.port), "TelnetPassword": PASSWORD, **(properties or {})})

    def configure(self, properties: dict[str, str]) -> None:
        path = self.directory / "serverconfig.xml"
        text = path.read_text("utf-8")
        for name, value in properties.items():
            escaped = value.replace("&", "&amp;").replace("<", "&lt;")
            text = re.sub(rf'name="{name}" value="[^"]*"', lambda _, n=name, v=escaped: f'name="{n}" value="{v}"', text)
        path.write_text(text, "utf-8")

    def start(self, *, ready: bool = True) -> "Running":
        argv = [self.executable, "-quit", "-batchmode", "-nographics", "-dedicated", "-logfile", self.log_file]
        self.process = subprocess.Popen(
            [*argv, "-configfile=serverconfig.xml"],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        if ready:
            self.control.wait_ready()
        return self

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def messages(self) -> list[str]:
        """The log so far, without the time: `INF Started Telnet on 8081`, unprefixed lines as they are."""
        text = self.log_file.read_text("utf-8") if self.log_file.exists() else ""
        return [re.sub(r"^\S+ [\d.]+ (?=INF|WRN|ERR|EXC)", "", line) for line in text.splitlines()]

    async def logged(self, wanted: str) -> str:
        """The newest line that contains the text, as soon as there is one."""
        await until(lambda: any(wanted in line for line in self.messages()))
        return next(line for line in reversed(self.messages()) if wanted in line)

    async def console(self, source: str = "127.0.0.1") -> "Client":
        """A console that is logged in."""
        client = await self.connect(source)
        await client.until("Please enter password:\r\n")
        client.send(PASSWORD)
        await client.until("end session.\r\n\r\n")
        return client

    async def connect(self, source: str = "127.0.0.1") -> "Client":
        return Client(*await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0)))


class Client:
    """One connection. What was read and not asked for yet stays in `text`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.text = ""
        self.address: str = "{}:{}".format(*writer.get_extra_info("sockname"))

    def send(self, *lines: str, end: str = "\r\n") -> None:
        self._writer.write("".join(line + end for line in lines).encode())

    async def until(self, wanted: str) -> str:
        """Everything up to and with the text."""
        raw = self.text.encode()
        async with asyncio.timeout(5):
            while wanted.encode() not in raw:
                data = await self._reader.read(65536)
                assert data, f"closed after {raw!r}"
                raw += data
        seen, _, rest = raw.partition(wanted.encode())
        self.text = rest.decode()
        return seen.decode() + wanted

    async def some(self) -> str:
        """The next bytes; empty when the server has closed."""
        async with asyncio.timeout(5):
            self.text += (await self._reader.read(64)).decode()
        return self.text

    async def rest(self) -> str:
        """Everything until the server closes."""
        async with asyncio.timeout(5):
            return self.text + (await self._reader.read()).decode()

    async def records(self, *lines: str) -> list[str]:
        """Send lines and a fence; what came up to the fence's error, one item a record."""
        fence = f"zz{next(_fences)}"
        self.send(*lines, fence)
        end = f"*** ERROR: unknown command '{fence}'\r\n"
        return (await self.until(end)).removesuffix(end).split("\r\n")[:-1]

    async def ask(self, *lines: str) -> list[str]:
        """The answer lines alone, without what is of the log."""
        return [record for record in await self.records(*lines) if not RECORD.match(record)]

    def end(self) -> None:
        """Say that nothing more will be sent."""
        self._writer.write_eof()

    def close(self) -> None:
        self._writer.close()


async def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
