"""The demo's game host: directories, a configuration, games on free ports, and the real agent as a process."""

import asyncio
import contextlib
import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bot.demo import processes
from bot.demo.sevendays import install
from bot.demo.sevendays import settings as sevendays_settings
from bot.demo.sevendays.control import AsyncControl
from games.catalog import SHIPPED

TEEWORLDS: Final = Path("/usr/games/teeworlds-server")
PAIRING_SECONDS: Final = 20.0
RESTART_SECONDS: Final = 2.5
"""How long 7 Days to Die takes to start from the second time on: long enough to see the steps on the card."""
_AGENT: Final = (sys.executable, "-m", "agent")


class PairingFailed(Exception):
    """What `gamekeeper-agent pair` said when it gave up."""


@dataclass(frozen=True)
class Game:
    """A game server that the demo adds: its template, the server's name, and what its directory is called."""

    template: str
    title: str
    name: str
    slug: str


SEVENDAYS: Final = Game("7dtd", "7 Days to Die", "Navezgane", "navezgane")
ARENA: Final = Game("teeworlds", "Teeworlds", "Dust Arena", "dust-arena")
SECOND: Final = Game("7dtd", "7 Days to Die", "Darkwood", "darkwood")
"""In the place of Teeworlds where that is not installed."""


class DemoHost:
    """A machine with games, all of it below one directory. Nothing is started before `pair` and `start`."""

    def __init__(self, place: Path, bot_url: str) -> None:
        self.place = place / "host"
        self.bot_url = bot_url
        self.config = self.place / "agent.toml"
        self.state = self.place / "state"
        self.servers = self.place / "servers"
        self.log = self.place / "agent.log"
        self.games = (SEVENDAYS, ARENA if TEEWORLDS.exists() else SECOND)
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the directories, the games and the agent's configuration file, as a host's owner would."""
        for directory in (self.state, self.servers, self.place / "templates"):
            directory.mkdir(parents=True)
        for game in self._adopted():
            install(self.directory(game))
            sevendays_settings.write(self.directory(game), start_seconds=0.5)
        ports = _free_ports()
        for name in {game.template for game in self.games}:
            text = _with_ports((SHIPPED / f"{name}.yaml").read_text("utf-8"), ports)
            (self.place / "templates" / f"{name}.yaml").write_text(text, "utf-8")
        self.config.write_text(self._configuration(), "utf-8")

    def _adopted(self) -> list[Game]:
        return [game for game in self.games if game.template == SEVENDAYS.template]

    def directory(self, game: Game) -> Path:
        """Where a game's files are. The 7 Days to Die servers are there before the agent, which adopts them."""
        return (self.place / "games" if game in self._adopted() else self.servers) / game.slug

    def _configuration(self) -> str:
        lines = [
            f"url = {json.dumps(self.bot_url)}",
            f"state_dir = {json.dumps(str(self.state))}",
            f"roots = [{json.dumps(str(self.servers))}]",
            f"templates = {json.dumps(sorted({game.template for game in self.games}))}",
            f"template_dirs = [{json.dumps(str(self.place / 'templates'))}]",
            "[adopt]",
        ]
        return "\n".join(
            [*lines, *(f"{game.slug} = {json.dumps(str(self.directory(game)))}" for game in self._adopted())]
        )

    async def pair(self, token: str) -> str:
        """Run `gamekeeper-agent pair`; what it printed. Raises `PairingFailed`."""
        process = await asyncio.create_subprocess_exec(
            *_AGENT, "pair", self.bot_url, token, "--config", str(self.config),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PAIRING_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise PairingFailed(f"gamekeeper-agent pair did not end within {PAIRING_SECONDS:g} s") from None
        text = output.decode("utf-8", "replace").strip()
        if process.returncode:
            raise PairingFailed(text)
        return text

    def start(self) -> None:
        """Start `gamekeeper-agent run`. It ends with this process at the latest."""
        self._process = processes.start([*_AGENT, "run", "--config", str(self.config)], log=self.log)

    def stop(self) -> None:
        """End the agent, then the games: they are made to outlive their agent, but not their demo."""
        if self._process:
            processes.stop(self._process)
        processes.end_all_below(self.place)

    def port(self, game: Game) -> int:
        """Where players of a Teeworlds server join."""
        found = re.search(r'^sv_port "(\d+)"', _text(self.directory(game) / "server.cfg"), re.MULTILINE)
        assert found, f"{game.name} has no configuration yet"
        return int(found[1])

    def kill(self, game: Game) -> int:
        """End a game's process the hard way, as the kernel would when memory runs out; its process id."""
        place = str(self.directory(game).resolve())
        found = next(process for process in processes.below(self.directory(game)) if process.cwd() == place)
        found.kill()
        return found.pid

    def control(self, game: Game) -> AsyncControl:
        """The way into a 7 Days to Die server for the demo itself: players come and go."""
        return AsyncControl(self.directory(game))

    async def slow_down(self) -> None:
        """The first start was quick, so that nobody waits; later ones can be watched."""
        for game in self._adopted():
            await self.control(game).slow_start(RESTART_SECONDS)

    async def liven(self) -> None:
        """Let invented players come and go, now and after every restart."""
        for game in self._adopted():
            sevendays_settings.write(self.directory(game), life=True)
            await self.control(game).life(on=True)

    def game_log(self, game: Game) -> str:
        """What a game itself has written; empty before it was ever started."""
        if game in self._adopted():
            return _text(self.directory(game) / "output_log.txt")
        return next(
            (text for text in map(_text, self.state.glob("instances/*/keeper/log")) if "][server]: " in text), ""
        )


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _free_ports() -> Iterator[int]:
    """Ports that nobody listens on, TCP or UDP, each once."""
    given: set[int] = set()
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
            udp.bind(("127.0.0.1", port))
            if port not in given:
                given.add(port)
                yield port


def _with_ports(text: str, ports: Iterator[int]) -> str:
    """A template whose ports begin where this machine has free ones: the usual ones may belong to somebody."""
    template: dict[str, Any] = yaml.safe_load(text)
    for variable in template["vars"].values():
        if variable["type"] == "port":
            variable["default"] = next(ports)
    return yaml.safe_dump(template, sort_keys=False, allow_unicode=True)
