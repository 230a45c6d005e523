"""Row 4: from the commit of a job until its agent starts it, across processes; and how fast the queue turns over, with
and without a million jobs that wait or have ended, beside procrastinate and pgqueuer on the same server.

The bot is the real process on one PostgreSQL; sixteen agents wait in long polls over the agent's own link. "Starts it"
is the moment when the bot has accepted the first progress report: before that a claim is only an offer.
"""

import asyncio
import socket
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import aiohttp

from agent import wire
from agent.http import Http
from agent.identity import Identity, IdentityFile
from agent.link import Link
from benchmarks import postgres
from benchmarks.community import Host, ended_jobs, fill, paired, queue_jobs
from benchmarks.discord_server import DiscordServer
from benchmarks.guilds import Guild
from benchmarks.processes import gamekeeper, started
from benchmarks.report import Figure, Goal, compared, percentile, show, write
from benchmarks.rivals import Rival
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.services.jobs_enqueue import enqueue
from bot.services.jobs_queue import JobQueue
from bot.services.secrets import SecretKeys
from db.embedded import EmbeddedPostgres
from db.engine import Database

_HOSTS: Final = 16
_PAUSE: Final = 0.02
_BATCH: Final = 50
_RIVALS: Final = ("procrastinate", "pgqueuer")
_SINGLY: Final = 40
"""Jobs a round that are claimed one at a time."""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 5
    jobs: int = 40
    """Dispatched one after the other, a round."""
    turnover: int = 200
    """Claimed and finished in batches, a round."""
    backlog: int = 1_000_000
    ended: int = 200_000
    """Jobs that ended and are not archived yet."""
    rival_jobs: int = 150
    """That a rival begins, a round."""
    rival_rounds: int = 2


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    plan = plan or Plan()
    with postgres.running() as server:
        for name in ("gamekeeper", "backlog", "ended", *_RIVALS, *(f"{name}_backlog" for name in _RIVALS)):
            server.create_database(name)
        figures = asyncio.run(_measured(server, plan))
    show(figures)
    write("dispatch", figures, backlog=plan.backlog)
    return figures


async def _measured(server: EmbeddedPostgres, plan: Plan) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="gamekeeper-bench-") as data:
        rivals = [Rival(name, server.dsn(name)) for name in _RIVALS]
        for rival in rivals:
            await rival.install(0)
        return [
            *await _latency(server.dsn(), Path(data), rivals, plan),
            *await _turnover(server, plan),
        ]


# ------------------------------------------------------------------------------------------------------------ latency


class Agents:
    """Waiting hosts. `began` says when the run of a job was accepted as started."""

    def __init__(self, url: str, hosts: Sequence[Host], data: Path) -> None:
        self._http = Http(url)
        self._hosts = hosts
        self._data = data
        self._began: dict[UUID, asyncio.Future[float]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Agents":
        for number, host in enumerate(self._hosts):
            file = IdentityFile(self._data / f"host-{number}")
            file.save(Identity(host_id=host.id, key=host.key))
            self._tasks.append(asyncio.create_task(self._works(Link(self._http, file))))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.__aexit__(None, None, None)

    def expected(self, job: UUID) -> asyncio.Future[float]:
        return self._began.setdefault(job, asyncio.get_running_loop().create_future())

    async def _works(self, link: Link) -> None:
        while True:
            for job in (await link.claim(5)).jobs:
                started_ = wire.Progress(claim_token=job.claim_token, phase=wire.Step.STARTED, message="")
                await link.progress(job.run_id, started_)
                self.expected(job.id).set_result(time.perf_counter())
                await link.result(job.run_id, wire.Result(claim_token=job.claim_token, outcome="success"))


async def _latency(url: str, data: Path, rivals: Sequence[Rival], plan: Plan) -> list[Figure]:
    guilds = [Guild(number) for number in range(_HOSTS)]
    await fill(url, guilds)
    hosts = await paired(url, SecretKeys.load(data), guilds)
    bind = f"127.0.0.1:{_free_port()}"
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(DiscordServer())
        app = discord.application(guilds)
        environment = gamekeeper(url, app.token, str(data)) | {"GAMEKEEPER_BIND": bind}
        program = await stack.enter_async_context(
            started("benchmarks.launch", discord.url, "gamekeeper", environment=environment)
        )
        await program.until(app.connected)
        agents = await stack.enter_async_context(Agents(f"http://{bind}", hosts, data))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        db = Database(url)
        stack.push_async_callback(db.close)
        bare: list[float] = []
        ours: list[float] = []
        theirs: dict[str, list[float]] = {rival.name: [] for rival in rivals}
        for number in range(plan.rounds + 1):
            trips = [await _round_trip(session, f"http://{bind}/healthz") for _ in range(plan.jobs)]
            dispatched = [await _dispatched(db, agents, hosts[job % len(hosts)]) for job in range(plan.jobs)]
            if number:  # the first round warms up
                bare.append(percentile(trips, 0.5))
                ours.append(percentile(dispatched, 0.5))
            if 0 < number <= plan.rival_rounds:
                for rival in rivals:
                    theirs[rival.name].append(percentile(await rival.latencies(plan.jobs // 2), 0.5))
    return [
        compared(4, "commit until started, p50", "bare HTTP round trip", "ms", bare, ours, Goal(11)),
        *(
            compared(4, "commit until started, p50", name, "ms", theirs[name], ours[: len(theirs[name])])
            for name in _RIVALS
        ),
    ]


async def _round_trip(session: aiohttp.ClientSession, url: str) -> float:
    await asyncio.sleep(_PAUSE)
    began = time.perf_counter()
    async with session.get(url) as answer:
        await answer.read()
    return (time.perf_counter() - began) * 1000


async def _dispatched(db: Database, agents: Agents, host: Host) -> float:
    await asyncio.sleep(_PAUSE)
    async with db.uow(system("benchmark", host.org_id)) as tx:
        job = await enqueue(
            tx,
            type=JobType.CONSOLE_COMMAND,
            host_id=host.id,
            server_id=host.server_id,
            channel_id=host.channel_id,
            params=wire.ConsoleCommand(command="status"),
        )
    committed = time.perf_counter()
    async with asyncio.timeout(10):
        return (await agents.expected(job.id) - committed) * 1000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ----------------------------------------------------------------------------------------------------------- turnover


@dataclass(frozen=True)
class Queue:
    """One host's queue in a database."""

    url: str
    host: Host
    queue: JobQueue

    async def add(self, count: int) -> None:
        await queue_jobs(self.url, self.host, count)

    async def add_ended(self, count: int) -> None:
        await ended_jobs(self.url, self.host, count)

    async def batches(self, count: int) -> float:
        """Jobs a second: claimed fifty at once, finished all at once."""
        began = time.perf_counter()
        done = 0
        while done < count:
            claimed = await self._claim(min(_BATCH, count - done))
            await asyncio.gather(*(self._finish(job) for job in claimed))
            done += len(claimed)
        return count / (time.perf_counter() - began)

    async def singly(self, count: int) -> float:
        """Jobs a second: each claimed, then finished, before the next."""
        began = time.perf_counter()
        for _ in range(count):
            for job in await self._claim(1):
                await self._finish(job)
        return count / (time.perf_counter() - began)

    async def _claim(self, slots: int) -> list[wire.ClaimedJob]:
        answer = await self.queue.claim(self.host.identity, slots)
        if answer is None:
            raise LookupError("the queue is empty")
        return answer.jobs

    async def _finish(self, job: wire.ClaimedJob) -> None:
        result = wire.Result(claim_token=job.claim_token, outcome="success")
        await self.queue.finish(self.host.identity, job.run_id, result)


async def _turnover(server: EmbeddedPostgres, plan: Plan) -> list[Figure]:
    made = [await _queue(server.dsn(name)) for name in ("gamekeeper", "backlog", "ended")]
    async with AsyncExitStack() as stack:
        queues: list[Queue] = []
        for url, host in made:
            db = Database(url)
            stack.push_async_callback(db.close)
            queues.append(Queue(url, host, JobQueue(db)))
        few, many, old = queues
        await many.add(plan.backlog)
        await old.add_ended(plan.ended)
        waiting = [Rival(name, server.dsn(f"{name}_backlog")) for name in _RIVALS]
        for rival in waiting:
            await rival.install(plan.backlog)
        rates: dict[str, list[float]] = {name: [] for name in ("singly", "batches", "backlog", "ended", *_RIVALS)}
        for number in range(plan.rounds + 1):
            for queue in queues:
                await queue.add(plan.turnover + _SINGLY)
            found = {
                "singly": await few.singly(_SINGLY),
                "batches": await few.batches(plan.turnover),
                "backlog": await many.batches(plan.turnover),
                "ended": await old.batches(plan.turnover),
            }
            if 0 < number <= plan.rival_rounds:
                found |= {rival.name: await rival.rate(plan.rival_jobs) for rival in waiting}
            for name, rate in found.items():
                rates[name] += [rate] if number else []
    return [
        compared(4, "claim and finish", "one at a time", "/s", rates["singly"], rates["batches"], Goal(4, "least")),
        compared(
            4,
            f"… with {plan.backlog:,} waiting",
            "a short queue",
            "/s",
            rates["batches"],
            rates["backlog"],
            Goal(0.9, "least"),
        ),
        compared(4, f"… with {plan.ended:,} that ended", "a short queue", "/s", rates["batches"], rates["ended"]),
        *(
            compared(
                4, f"… with {plan.backlog:,} waiting", name, "/s", rates[name], rates["backlog"][: len(rates[name])]
            )
            for name in _RIVALS
        ),
    ]


async def _queue(url: str) -> tuple[str, Host]:
    guilds: list[Any] = [Guild(1000)]
    await fill(url, guilds)
    (host,) = await paired(url, SecretKeys([b"k" * 32]), guilds)
    return url, host
