"""Real processes in temporary directories; whatever a test leaves running is ended by its identity."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import pytest

from agent.config import AgentConfig
from agent.errors import Cancelled
from agent.runtime.crash import Backoff
from agent.runtime.instance import Instance
from agent.runtime.keeper import Identity
from agent.runtime.mods.download import Fetch
from agent.runtime.process import PATH, GameProcess, Launch
from agent.runtime.server import GameServer
from agent.runtime.signals import send
from agent.runtime.tree import members
from agent.wire import ServerReport, ServerSpec, Step
from games.catalog import GameTemplate, load_catalog


def script(text: str, *, cwd: Path, env: Mapping[str, str] | None = None, stdin: bool = True, **more: int) -> Launch:
    """A game that is a few lines of Python."""
    argv = [sys.executable, "-I", "-u", "-c", text]
    return Launch(argv=argv, cwd=cwd, env={"PATH": PATH, **(env or {})}, stdin=stdin, **more)


def identity_of(directory: Path, who: str) -> Identity:
    return Identity(*json.loads((directory / "state.json").read_text())[who])


def end(directory: Path) -> None:
    """Kill what a keeper's directory names: the game, what is below it, and the keeper."""
    if (directory / "state.json").exists():
        game, keeper = identity_of(directory, "game"), identity_of(directory, "keeper")
        for process in [*members(game), *members(keeper)]:
            send(process, signal.SIGKILL)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[GameProcess]:
    """A place for one game."""
    yield GameProcess(tmp_path / "keeper")
    end(tmp_path / "keeper")


def inside(server: GameServer) -> Instance:
    """Its parts: a test looks at the process behind the words."""
    return server._server  # pyright: ignore[reportPrivateUsage]  # what a test looks at is not part of the agent's API


class Card:
    """Takes the progress of a task, and cancels it at a step where that is wanted."""

    def __init__(self, cancel_at: Step | None = None) -> None:
        self.steps: list[Step] = []
        self._cancel_at = cancel_at

    async def __call__(self, step: Step, message: str) -> None:
        if not self.steps or self.steps[-1] != step:
            self.steps.append(step)
        if step == self._cancel_at:
            raise Cancelled


def free_port() -> int:
    """A TCP and UDP port of 127.0.0.1 that nobody uses at the moment."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", tcp.getsockname()[1]))
        return tcp.getsockname()[1]


class Host:
    """One agent's part of a machine: a configuration, a catalogue, and the servers made by a test."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.config = AgentConfig(url="http://127.0.0.1:1", state_dir=place / "state", roots=(place / "servers",))
        self.catalog: dict[str, GameTemplate] = load_catalog()
        self.backoff = Backoff(first=0.2, longest=0.5, settled=60.0, limit=3)
        self.fetch: Fetch | None = None
        self._agents: list[tuple[GameServer, asyncio.Task[None]]] = []

    def spec(self, game: str, /, **changes: object) -> ServerSpec:
        """A server as people want it."""
        usual = {"slug": "one", "desired_state": "running", "restart_policy": "on_crash", "config_revision": 1}
        wish = {**usual, **changes, "game": game}
        return ServerSpec.model_validate({"id": uuid5(NAMESPACE_OID, str(wish["slug"])), **wish})

    async def server(self, spec: ServerSpec) -> GameServer:
        """As the agent has it after its start: adopted and watched."""
        server = GameServer(spec, self.config, self.catalog, backoff=self.backoff, fetch=self.fetch)
        await server.adopt()
        self._agents.append((server, asyncio.create_task(server.watch())))
        return server

    async def leave(self) -> None:
        """The agent ends; its games run on."""
        for server, watch in self._agents:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
            await server.close()
        self._agents.clear()

    async def clean_up(self) -> None:
        await self.leave()
        for directory in (self.config.state_dir / "instances").glob("*/keeper"):
            end(directory)


@pytest.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    """A host without servers, whose agent is in a hurry."""
    monkeypatch.setattr("agent.runtime.watching.LOOK_EVERY", 0.05)
    monkeypatch.setattr("agent.runtime.starting.LOOK_EVERY", 0.02)
    monkeypatch.setattr("agent.runtime.ladder.LEFTOVERS_WAIT", 0.3)
    monkeypatch.setattr("agent.runtime.lock.PATIENCE", 0.3)
    host = Host(tmp_path)
    yield host
    await host.clean_up()


async def until_state(server: GameServer, state: str, seconds: float = 15.0) -> ServerReport:
    """Wait for a word of its status."""
    async with asyncio.timeout(seconds):
        while (report := await server.status()).state != state:
            await asyncio.sleep(0.05)
    return report


@pytest.fixture
def scripted(host: Host) -> Host:
    """A host that knows the scripted game."""
    host.catalog = load_catalog(Path(__file__).parent / "games")
    return host
