"""Two replicas, four agents, 200 servers, and processes that are killed and stopped at random.

A minute in CI; `make soak` takes five, with 2,000 jobs and a PostgreSQL that is killed as well. What is asked for, and
who is struck when, is decided by a seed, which is printed: CHAOS_SEED=… has it again, as far as processes can.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from bot.services.jobs_sweep import JobSweep
from db.embedded import EmbeddedPostgres
from tests.database import TestServer
from tests.faults.chaos.fates import PAUSES_OF_REPLICAS, Fate, Struck, fate, strike
from tests.faults.chaos.leadership import WORST, Leadership
from tests.faults.chaos.plan import SEED, Plan, plan
from tests.faults.chaos.postgres import durable, kill
from tests.faults.chaos.realm import LargeGuild, Realm, founded
from tests.faults.chaos.report import told
from tests.faults.chaos.verdict import unended, verdict
from tests.faults.chaos.work import Work
from tests.wire.discord_server import DiscordServer
from tests.wire.waiting import eventually

_LIVE: Final = "select 1 from jobs where status in ('held', 'queued', 'running') limit 1"
_OWED: Final = "select 1 from notification_jobs where status in ('pending', 'processing') limit 1"
_MINUTE: Final = "update notification_jobs set locked_until = now() where status = 'processing'"
_POSTGRES_DIES_AT: Final = 0.45
"""Of the time."""


@dataclass
class Chaos:
    """One run."""

    realm: Realm
    plan: Plan
    postgres: EmbeddedPostgres | None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.work = Work(self.realm, random.Random(self.plan.seed))
        self.struck = Struck()
        self.leadership = Leadership(self.realm.db, self.realm.look)

    async def run(self) -> list[str]:
        """From the first job to the last message; what is wrong then."""
        watching = [asyncio.create_task(watch) for watch in self._watches()]
        try:
            await self.work.start_some(self.plan.up)
            await asyncio.gather(*self._storm())
            print(await self._drained())
            wrong = await verdict(self.realm)
        except BaseException:
            print(*await told(self.realm, self.struck, await unended(self.realm)), sep="\n")
            raise
        finally:
            for task in watching:
                task.cancel()
            ends = await asyncio.gather(*watching, return_exceptions=True)
        wrong += [f"a watch ended: {end!r}" for end in ends if not isinstance(end, asyncio.CancelledError)]
        return [*wrong, *self._led()]

    def _watches(self) -> list[Coroutine[Any, Any, None]]:
        return [self.leadership.watch(), *([] if self.plan.patient else [self._sweeping()])]

    def _storm(self) -> list[Coroutine[Any, Any, None]]:
        seconds, jobs = self.plan.seconds, self.plan.jobs - self.work.jobs
        storm: list[Coroutine[Any, Any, None]] = [
            strike(self._fates(), seconds, self.struck),
            self.work.run(jobs, seconds - 2),
        ]
        if self.postgres and self.plan.kill_postgres:
            storm.append(kill(self.postgres, seconds * _POSTGRES_DIES_AT))
        return storm

    def _fates(self) -> list[Fate]:
        seed, seconds = self.plan.seed, self.plan.seconds
        first, *others = self.realm.agents
        return [
            *(fate(replica, seed, seconds, pauses=PAUSES_OF_REPLICAS) for replica in self.realm.replicas),
            fate(first, seed, seconds, long_stop=self.plan.long_stop),
            *(fate(agent, seed, seconds) for agent in others),
        ]

    async def _sweeping(self) -> None:
        """A sweep without patience: it gives runs up whose hosts had no time to report, so that late results come."""
        while True:
            await asyncio.sleep(1.0)
            await JobSweep(self.realm.db).leases()

    async def _drained(self) -> str:
        """Waits until every job has ended, nobody has anything to tell, and nothing is owed to Discord."""
        began, realm, seconds = time.monotonic(), self.realm, self.plan.drain

        async def none(statement: str) -> bool:
            return not await realm.rows(statement)

        await eventually(lambda: none(_LIVE), seconds, lambda: "the end of every job")
        await eventually(lambda: not realm.unheard, seconds, lambda: f"the bot to hear of {realm.unheard}")
        ended = time.monotonic()
        if not self.plan.patient:
            await realm.rows(_MINUTE)  # whoever had begun to send these is dead
        await eventually(lambda: none(_OWED), seconds, lambda: "the end of every message")
        return f"drained: jobs in {ended - began:.1f} s, messages in {time.monotonic() - ended:.1f} s more"

    def _led(self) -> list[str]:
        periods = [period for replica in self.realm.replicas for period in replica.life.periods]
        gaps = self.leadership.gaps(periods)
        if not any(period.ready for period in periods):
            return ["no replica has said what it is called, so nobody knows who led"]
        longest = "; ".join(map(str, gaps[:3]))
        print(f"jobs {self.work.jobs} + {len(self.work.typed)} typed; asked {dict(self.work.asked)}", end="; ")
        print(f"refused {dict(self.work.refused)}; strokes {dict(self.struck.counts)}")
        print(f"{len(gaps)} times without a leader, the longest {longest}; {time.monotonic() - self.began:.1f} s")
        print(*[f"more than {WORST:g} s without a leader: {gap}" for gap in gaps if gap.seconds > WORST], sep="\n")
        return [f"nobody led: {gap}" for gap in gaps if gap.too_long]


@asynccontextmanager
async def database(given: Plan, server: TestServer) -> AsyncGenerator[tuple[EmbeddedPostgres | None, str]]:
    """Where it all is kept: in the long form a server of its own, which may die."""
    if given.patient:
        async with durable() as own:
            yield own
    else:
        yield None, (url := await server.create())
        await server.drop(url)


@pytest.mark.timeout(1800)
async def test_nothing_is_lost_and_nothing_is_done_twice(postgres: TestServer, tmp_path: Path) -> None:
    given = plan()
    print(f"{SEED}={given.seed}")
    async with (
        database(given, postgres) as (server, url),
        DiscordServer(LargeGuild()) as discord,
        founded(tmp_path, discord, url, given) as realm,
    ):
        chaos = Chaos(realm, given, server)
        if wrong := await chaos.run():
            print(*await told(realm, chaos.struck, wrong), sep="\n")
        assert not wrong, f"{len(wrong)} things are wrong, {SEED}={given.seed}: {wrong[:5]}"
