"""A host: a directory, a real agent in a process of its own, and the games that it starts."""

import asyncio
import json
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from agent.app import serve
from agent.config import AgentConfig
from agent.identity import Identity, IdentityFile
from tests.agent.runtime.conftest import end

GAMES = Path(__file__).parent / "games"
PROJECT = Path(__file__).parents[2]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return tcp.getsockname()[1]


class HostMachine:
    """What stands in somebody's basement. Times out rather than hangs."""

    def __init__(self, place: Path, url: str) -> None:
        self.place = place
        self.url = url
        self.state = place / "state"
        self.servers = place / "servers"
        self.config = place / "agent.toml"
        self.log_file = place / "agent.log"
        self.own_process = False
        """Whether the agent is a process of its own, which can be killed and frozen."""
        self.process: asyncio.subprocess.Process | None = None
        self._agent: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._handler: logging.FileHandler | None = None

    def configure(self, **settings: str) -> None:
        """Write the configuration; values are TOML."""
        lines = {
            "url": f'"{self.url}"',
            "state_dir": f'"{self.state}"',
            "roots": f'["{self.servers}"]',
            "templates": '["counter", "teeworlds"]',
            "template_dirs": f'["{GAMES}"]',
        } | settings
        self.config.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))

    def give_identity(self, host_id: UUID, key: str) -> None:
        """As if it had been paired."""
        IdentityFile(self.state).save(Identity(host_id=host_id, key=key))

    @property
    def identity(self) -> Identity:
        return IdentityFile(self.state).load()

    def install(self, slug: str) -> Path:
        """Put the counting game where a server of this name lives."""
        directory = self.servers / slug
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(GAMES / "counter.py", directory)
        return directory

    # ------------------------------------------------------------------------------------------------- the agent

    async def command(self, *arguments: str, timeout: float = 30) -> tuple[int, str]:
        """Run `gamekeeper-agent …`; exit code and all it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent",
            *arguments,
            cwd=PROJECT,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def start(self) -> None:
        """Start the agent; returns when it serves."""
        before = len(self.log())
        await (self._start_process() if self.own_process else self._start_inside())
        await self.until_log(" serves ", since=before)

    async def _start_process(self) -> None:
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agent",
                "run",
                "--verbose",
                "--config",
                str(self.config),
                cwd=PROJECT,
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def _start_inside(self) -> None:
        """In this process: the same code in a third of the time, for tests that kill nobody."""
        if self._handler is None:
            self._handler = logging.FileHandler(self.log_file)
            logging.getLogger("agent").addHandler(self._handler)
            logging.getLogger("agent").setLevel(logging.DEBUG)
        self._stopping = asyncio.Event()
        self._agent = asyncio.create_task(serve(AgentConfig.load(self.config), self._stopping))

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.place), "PYTHONUNBUFFERED": "1"}

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    async def until_log(self, words: str, *, since: int = 0, timeout: float = 20) -> None:
        """Wait until the agent says so."""
        await self.until(lambda: words in self.log()[since:], timeout, f"the log to say {words!r}")

    async def until(self, condition: Callable[[], bool], timeout: float = 20, what: str = "a condition") -> None:
        """Look often until it holds."""
        end_at = asyncio.get_running_loop().time() + timeout
        while not condition():
            if self._ended() or asyncio.get_running_loop().time() > end_at:
                raise AssertionError(f"waited {timeout} s for {what}; the agent said:\n{self.log()}")
            await asyncio.sleep(0.005)

    def _ended(self) -> bool:
        if self._agent is not None:
            return self._agent.done()
        return self.process is not None and self.process.returncode is not None

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        self.process = None

    def ask_to_end(self) -> None:
        """SIGTERM, or what it does."""
        if self._agent is not None:
            self._stopping.set()
        else:
            assert self.process is not None
            self.process.terminate()

    async def terminate(self, timeout: float = 40) -> None:
        """SIGTERM, and wait until it has ended well."""
        self.ask_to_end()
        if self._agent is not None:
            await asyncio.wait_for(self._agent, timeout)
            self._agent = None
        else:
            assert self.process is not None
            assert await asyncio.wait_for(self.process.wait(), timeout) == 0
            self.process = None

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    async def clean_up(self) -> None:
        """End the agent and every game that it left running."""
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        if self._agent is not None:
            self._stopping.set()
            await asyncio.sleep(0.01)
            self._stopping.set()
            await asyncio.wait([self._agent], timeout=30)
        if self._handler is not None:
            logging.getLogger("agent").removeHandler(self._handler)
            self._handler.close()
        for directory in (self.state / "instances").glob("*/keeper"):
            end(directory)

    # --------------------------------------------------------------------------------------------- what happened

    def spooled(self, end_of_name: str) -> list[str]:
        """Run ids of the spool's files with this ending."""
        return [path.stem for path in (self.state / "runs").glob(f"*{end_of_name}")]

    def count(self, slug: str, what: str) -> int:
        """How often the counting game has started or stopped."""
        file = self.servers / slug / what
        return len(file.read_text().splitlines()) if file.exists() else 0

    def game_pid(self, server_id: object) -> int:
        """The game's process id, as the keeper wrote it down."""
        state = self.state / "instances" / str(server_id) / "keeper" / "state.json"
        return json.loads(state.read_text())["game"][0]
