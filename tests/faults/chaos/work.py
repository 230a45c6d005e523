"""What people ask for while all this happens.

Most of it goes through the services of a process of its own on the same database (the test's), which is what a third
replica would do; what is typed on the wire besides goes through the replica that is connected to Discord, if any is.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from agent import wire
from bot.domain.jobs import JobType
from bot.errors import AppError, Conflict
from bot.services.jobs import Jobs
from bot.services.jobs_enqueue import Enqueued, enqueue
from db.uow import Tx
from tests.faults.chaos.realm import Realm, Server
from tests.wire.interactions import Interaction

_POWER: Final[dict[str, tuple[JobType, wire.Params]]] = {
    "start": (JobType.SERVER_START, wire.ServerStart()),
    "stop": (JobType.SERVER_STOP, wire.ServerStop()),
    "restart": (JobType.SERVER_RESTART, wire.ServerRestart()),
}
_KINDS: Final = {"console": 45, "announce": 25, "power": 14, "chain": 4, "typed": 8, "cancel": 4}
"""What is asked for, and how often."""


@dataclass
class Work:
    """The jobs of a run. `asked` counts what was really asked for; a word in the ledger belongs to one job."""

    realm: Realm
    chance: random.Random
    asked: Counter[str] = field(default_factory=Counter[str])
    typed: list[Interaction] = field(default_factory=list[Interaction])
    numbers: list[int] = field(default_factory=list[int])
    refused: Counter[str] = field(default_factory=Counter[str])
    _words: int = 0

    @property
    def jobs(self) -> int:
        """Given so far by the services; what was typed comes on top."""
        return len(self.numbers)

    async def start_some(self, count: int) -> None:
        """So that there are consoles to talk to."""
        for server in self.realm.servers[:count]:
            await self._give(server, "start")

    async def run(self, jobs: int, seconds: float) -> None:
        """So many jobs, evenly over the time."""
        began = time.monotonic()
        acts: dict[str, Callable[[], Awaitable[None]]] = {
            "console": self._console,
            "announce": self._announce,
            "power": self._power,
            "chain": self._chain,
            "typed": self._typed,
            "cancel": self._cancel,
        }
        first = self.jobs
        while (done := self.jobs + len(self.typed) - first) < jobs:
            await asyncio.sleep(began + seconds * done / jobs - time.monotonic())
            kind = self.chance.choices(list(_KINDS), list(_KINDS.values()))[0]
            try:
                await acts[kind]()
                self.asked[kind] += 1
            except AppError as error:  # a conflict, or the database is away: it was refused, and nothing was done
                self.refused[type(error).__name__] += 1
                await asyncio.sleep(0 if isinstance(error, Conflict) else 0.2)

    # ------------------------------------------------------------------------------------------ through services

    def _word(self) -> str:
        self._words += 1
        return f"w{self._words}"

    def _any(self) -> Server:
        """One of those that were started first, more often than not."""
        servers = self.realm.servers
        return self.chance.choice(servers[: self.realm.plan.up] if self.chance.random() < 0.8 else servers)

    async def _console(self) -> None:
        await self._give(self._any(), "console")

    async def _announce(self) -> None:
        await self._give(self._any(), "announce")

    async def _power(self) -> None:
        await self._give(self._any(), self.chance.choices(list(_POWER), (5, 2, 4))[0])

    async def _give(self, server: Server, kind: str) -> None:
        async with self.realm.db.uow(self.realm.person(self.chance)) as tx:
            job = await self._enqueue(tx, server, kind)
            tx.audit(f"chaos.{kind}", resource=("server", server.id), number=job.number)
        self.numbers.append(job.number)

    async def _enqueue(self, tx: Tx, server: Server, kind: str, **options: Any) -> Enqueued:
        job_type, params = self._job(kind)
        return await enqueue(tx, type=job_type, host_id=server.host_id, server_id=server.id, params=params, **options)

    def _job(self, kind: str) -> tuple[JobType, wire.Params]:
        if kind == "console":
            return JobType.CONSOLE_COMMAND, wire.ConsoleCommand(command=f"do {self._word()}")
        if kind == "announce":
            return JobType.ANNOUNCE, wire.Announce(text=self._word())
        return _POWER[kind]

    async def _chain(self) -> None:
        """Says it, restarts, says that it was done; each waits for the one before."""
        server, before = self._any(), None
        numbers: list[int] = []
        async with self.realm.db.uow(self.realm.person(self.chance)) as tx:
            for kind in ("announce", "restart", "announce"):
                after: UUID | None = before.id if before else None
                before = await self._enqueue(tx, server, kind, after=after, after_any=self.chance.random() < 0.5)
                numbers.append(before.number)
            tx.audit("chaos.chain", resource=("server", server.id), numbers=numbers)
        self.numbers += numbers

    async def _cancel(self) -> None:
        number = self.chance.choice(self.numbers[-10:])
        await Jobs(self.realm.db).cancel(self.realm.person(self.chance), number)

    # --------------------------------------------------------------------------------------------- over the wire

    async def _typed(self) -> None:
        """A command of the owner's. Nothing happens where no replica is connected at this moment."""
        discord, server, path = self.realm.discord, self._any(), self.chance.choice(("console run", "announce"))
        options = {"command": f"do {self._word()}"} if path == "console run" else {"text": self._word()}
        channel = self.chance.choice(discord.guild.channels)
        try:
            asked = await discord.slash(discord.guild.owner, channel, path, server=str(server.id), **options)
        except (ConnectionError, OSError):
            self.refused["nobody connected"] += 1
            return
        self.typed.append(asked)
