"""Ten thousand schedules, some of which are due at one moment: our ticking claim against APScheduler's own jobs.

All do the same for each that is due, by the same service: one job for its host, with its audit row, durably.
APScheduler keeps its jobs in memory, where no restart finds them again, or in its `SQLAlchemyJobStore` on the same
PostgreSQL.
"""

import asyncio
import importlib
import pickle
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from agent import wire
from benchmarks import postgres
from benchmarks.community import Host, fill, paired
from benchmarks.guilds import Guild
from benchmarks.report import Figure, compared, show, write
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.services.jobs_enqueue import enqueue
from bot.services.schedules_due import SchedulesDue
from bot.services.secrets import SecretKeys
from db.embedded import EmbeddedPostgres
from db.engine import Database

_LOOK: Final = 0.01
_PATIENCE: Final = 60.0
_FIRST: Final = timedelta(seconds=25)
"""From the start until the first round: by then every scheduler has its jobs."""
_ROUND: Final = timedelta(seconds=6)
_AT_ONCE: Final = 2
"""Jobs that APScheduler's coroutines write at a time: they count in one community, one after the other; more would only
wait for each other until their time is over."""
_MEMORY, _STORE = "APScheduler, jobs in memory", "APScheduler, SQLAlchemyJobStore"

_SCHEDULES: Final = """
    with made as (
      insert into schedules (org_id, server_instance_id, name, cron_expression, next_run_at)
      select :org, :server, 'daily-' || n, '0 4 * * *', now() + interval '1 day' from generate_series(1, :count) n
      returning id)
    insert into schedule_tasks (schedule_id, sequence, job_type, payload)
    select id, 1, 'CONSOLE_COMMAND', '{"type"\\: "CONSOLE_COMMAND", "command"\\: "status"}' from made
    returning id"""
_FALL_DUE: Final = """
    update schedules set next_run_at = now()
     where id in (select id from schedules where run_count = 0 order by id limit :due) returning id"""


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int = 4
    schedules: int = 10_000
    due: int = 100
    """Of them, at one moment, a round."""


@dataclass
class Watch:
    """How long a round takes, and how long nothing else came to its turn meanwhile."""

    seconds: float = 0.0
    stall: float = 0.0
    _began: float = 0.0
    _looking: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def __aenter__(self) -> "Watch":
        self._began = time.perf_counter()
        self._looking.append(asyncio.create_task(self._look()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._began
        self._looking.pop().cancel()

    async def _look(self) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_LOOK)
            self.stall = max(self.stall, time.perf_counter() - began - _LOOK)


def run(plan: Plan | None = None) -> list[Figure]:
    """Starts everything, measures, prints and writes the figures."""
    plan = plan or Plan()
    with postgres.running() as server:
        server.create_database("gamekeeper")
        figures = asyncio.run(_measured(server, plan))
    show(figures)
    write("scheduler", figures, schedules=plan.schedules, due=plan.due)
    return figures


async def _measured(server: EmbeddedPostgres, plan: Plan) -> list[Figure]:
    guild: Any = Guild(1000)
    await fill(server.dsn(), [guild])
    (host,) = await paired(server.dsn(), SecretKeys([b"k" * 32]), [guild])
    async with AsyncExitStack() as stack:
        db = Database(server.dsn())
        stack.push_async_callback(db.close)
        await _execute(db, "update hosts set status = 'online', last_heartbeat_at = now() returning id")
        await _execute(db, _SCHEDULES, org=host.org_id, server=host.server_id, count=plan.schedules)
        first = datetime.now(UTC) + _FIRST
        theirs = [
            Theirs(db, host, plan, lambda number: first + (3 * number + 1) * _ROUND),
            Theirs(db, host, plan, lambda number: first + (3 * number + 2) * _ROUND, server.dsn()),
        ]
        for other in theirs:
            other.start()
            stack.callback(other.stop)
        if datetime.now(UTC) > first:
            raise RuntimeError("this machine is too slow to begin at the same time")
        mine: list[Watch] = []
        found: list[list[Watch]] = [[], []]
        for number in range(plan.rounds + 1):
            mine.append(await _ours(db, plan, first + 3 * number * _ROUND))
            for other, watches in zip(theirs, found, strict=True):
                watches.append(await other.round(number))
    return _figures(plan, mine[1:], {_MEMORY: found[0][1:], _STORE: found[1][1:]})  # the first round warms up


def _figures(plan: Plan, mine: list[Watch], theirs: dict[str, list[Watch]]) -> list[Figure]:
    cases: list[tuple[str, str, Callable[[Watch], float]]] = [
        (f"{plan.due} of {plan.schedules:,} schedules due, until each has its job", "s", lambda watch: watch.seconds),
        ("… the longest stall of everything else", "ms", lambda watch: watch.stall * 1000),
    ]
    return [
        compared(0, case, name, unit, [of(watch) for watch in watches], [of(watch) for watch in mine])
        for case, unit, of in cases
        for name, watches in theirs.items()
    ]


async def _ours(db: Database, plan: Plan, at: datetime) -> Watch:
    await _until(at)
    await _execute(db, _FALL_DUE, due=plan.due)
    async with Watch() as watch:
        done = await SchedulesDue(db).tick()
    if done["enqueued"] != plan.due:
        raise RuntimeError(f"{done}, but {plan.due} schedules were due")
    return watch


class Theirs:
    """An `AsyncIOScheduler` with as many jobs, in memory or, with a `url`, in a database."""

    def __init__(
        self, db: Database, host: Host, plan: Plan, at: Callable[[int], datetime], url: str | None = None
    ) -> None:
        self._plan = plan
        self._at = at
        self._url = url
        self._key = url or "memory"
        self._scheduler: Any = _library("apscheduler.schedulers.asyncio").AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True}
        )
        _PLACES[self._key] = Place(db, host)

    def start(self) -> None:
        """With all its jobs: some for each round, the others for tomorrow."""
        trigger = _library("apscheduler.triggers.cron").CronTrigger(hour=4, timezone="UTC")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        for number in range(self._plan.schedules):
            of = number // self._plan.due
            at = self._at(of) if of <= self._plan.rounds else tomorrow
            self._scheduler.add_job(fire, trigger, [self._key], id=str(number), next_run_time=at)
        if self._url is None:
            self._scheduler.start()
            return
        self._scheduler.start(paused=True)
        self._move_into(self._url)
        self._scheduler.resume()

    def _move_into(self, url: str) -> None:
        """In one statement: one by one would be a commit each."""
        url = url.replace("postgresql:", "postgresql+psycopg:")
        store = _library("apscheduler.jobstores.sqlalchemy").SQLAlchemyJobStore(url=url)
        rows = [
            {
                "id": job.id,
                "next_run_time": job.next_run_time.timestamp(),
                "job_state": pickle.dumps(job.__getstate__(), pickle.HIGHEST_PROTOCOL),
            }
            for job in self._scheduler.get_jobs()
        ]
        self._scheduler.remove_all_jobs()
        self._scheduler.add_jobstore(store, "database")
        with store.engine.begin() as connection:
            connection.execute(store.jobs_t.insert(), rows)

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    async def round(self, number: int) -> Watch:
        """Waits until some of them are due, and until each has its job."""
        place = _PLACES[self._key]
        await _until(self._at(number))
        async with Watch() as watch, asyncio.timeout(_PATIENCE):
            while place.fired < (number + 1) * self._plan.due:
                await asyncio.sleep(_LOOK / 2)
        return watch


@dataclass
class Place:
    """Where the jobs of a scheduler go."""

    db: Database
    host: Host
    fired: int = 0
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


_PLACES: Final[dict[str, Place]] = {}


async def fire(key: str) -> None:
    """What APScheduler calls: by name, since it keeps the name in the database."""
    place = _PLACES[key]
    async with place.gate, place.db.uow(system("benchmark", place.host.org_id)) as tx:
        job = await enqueue(
            tx,
            type=JobType.CONSOLE_COMMAND,
            host_id=place.host.id,
            server_id=place.host.server_id,
            params=wire.ConsoleCommand(command="status"),
            source="schedule",
        )
        tx.audit("schedule.run", resource=("server", place.host.server_id), numbers=[job.number])
    place.fired += 1


async def _until(at: datetime) -> None:
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))


async def _execute(db: Database, statement: str, **values: Any) -> Any:
    async with db.uow(system("benchmark")) as tx:
        return await tx.session.scalar(text(statement), values)


def _library(name: str) -> Any:
    return importlib.import_module(name)  # comes without types
