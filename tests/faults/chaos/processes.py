"""The processes that are struck: replicas and agents."""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tests.agent.harness import HostMachine, free_port
from tests.faults.chaos.balancer import Balancer
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer

_CALLED: Final = re.compile(r" this process is (\S+) and ")


class Victim(Protocol):
    """Something that can be struck."""

    name: str
    log_file: Path

    @property
    def gone(self) -> bool:
        """By itself, which nobody asked for."""
        ...

    async def spawn(self) -> None: ...
    async def kill(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


@dataclass
class Period:
    """From a start, or a SIGCONT, to the next stroke. Seconds since the epoch."""

    since: float
    ready: float | None = None
    """When it was first seen to be ready; it stands for something from then on."""
    until: float | None = None
    holder: str = ""
    """What it is called in the table of leases, once it has said so."""


@dataclass
class Life:
    """The periods of one replica."""

    periods: list[Period] = field(default_factory=list[Period])

    def begins(self, holder: str = "") -> None:
        self.periods.append(Period(time.time(), holder=holder))

    def ends(self) -> None:
        if self.periods and self.periods[-1].until is None:
            self.periods[-1].until = time.time()


class Replica(BotProcess):
    """One `gamekeeper run`, and when it could lead."""

    def __init__(
        self, place: Path, discord: DiscordServer, database_url: str, name: str, *, lease: float, run_lease: float
    ) -> None:
        super().__init__(place, discord, database_url, port=free_port(), name=name, lease=lease)
        self.launcher = ("tests.faults.chaos.launch", str(run_lease))
        self.name, self.life = name, Life()
        self._from = 0

    @property
    def gone(self) -> bool:
        return self.process is not None and self.process.returncode is not None

    async def spawn(self) -> None:
        self._from = self.log_file.stat().st_size if self.log_file.exists() else 0
        await super().spawn()
        self.life.begins()

    def look(self, balancer: Balancer) -> None:
        """Notes what it is called, and that it is ready."""
        period = self.life.periods[-1]
        if not period.holder:
            period.holder = self._called()
        if period.ready is None and period.until is None and period.holder and balancer.ready(self.port):
            period.ready = time.time()

    @property
    def waited(self) -> float:
        """Seconds for which its main thread was ready to run and had no processor."""
        assert self.process is not None
        try:
            return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[1]) / 1e9
        except (FileNotFoundError, ProcessLookupError):
            return 0.0

    def _called(self) -> str:
        with self.log_file.open(encoding="utf-8", errors="replace") as file:
            file.seek(self._from)
            found = _CALLED.search(file.read())
        return found[1] if found else ""

    async def kill(self) -> None:
        self.life.ends()
        await super().kill()

    def freeze(self) -> None:
        self.life.ends()
        super().freeze()

    def thaw(self) -> None:
        self.life.begins(self.life.periods[-1].holder)
        super().thaw()


class Agent(HostMachine):
    """One `gamekeeper-agent run` with a home of its own."""

    def __init__(self, place: Path, name: str, url: str) -> None:
        super().__init__(place / name, url)
        self.name = name
        self.place.mkdir(parents=True, exist_ok=True)
        self.log_file = place / f"{name}.log"
        self.own_process = True

    @property
    def gone(self) -> bool:
        return self.process is not None and self.process.returncode is not None

    @property
    def untold(self) -> list[str]:
        """Runs that the bot has not acknowledged."""
        told = set(self.spooled(".sent"))
        return [run for end in (".started", ".result") for run in self.spooled(end) if run not in told]

    async def spawn(self) -> None:
        assert self.process is None, "it runs already"
        await self._start_process()
