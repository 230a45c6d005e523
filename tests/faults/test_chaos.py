"""Two replicas, four agents, 200 servers, and processes that are killed and stopped at random.

A minute in CI; `make soak` takes five, with 2,000 jobs. What is asked for and who is struck when is decided by a seed,
which is printed: CHAOS_SEED=… has it again, as far as processes can.
"""

import asyncio
import random
import time
from pathlib import Path

import pytest

from bot.services.jobs_sweep import JobSweep
from tests.database import TestServer
from tests.faults.chaos.fates import Struck, fate, strike
from tests.faults.chaos.leadership import WORST, Leadership
from tests.faults.chaos.plan import SEED, plan
from tests.faults.chaos.realm import LargeGuild, Realm, founded
from tests.faults.chaos.report import told
from tests.faults.chaos.verdict import unended, verdict
from tests.faults.chaos.work import Work
from tests.wire.discord_server import DiscordServer
from tests.wire.waiting import eventually

_LIVE = "select 1 from jobs where status in ('held', 'queued', 'running') limit 1"
_OWED = "select 1 from notification_jobs where status in ('pending', 'processing') limit 1"
_MINUTE = "update notification_jobs set locked_until = now() where status = 'processing'"


async def sweeping(realm: Realm) -> None:
    """A sweep without patience, which gives runs up whose hosts had no time to report: so that late results come."""
    while True:
        await asyncio.sleep(1.0)
        await JobSweep(realm.db).leases()


async def drained(realm: Realm) -> float:
    """Waits until every job has ended and nothing is owed to Discord; how long that took."""
    began = time.monotonic()

    async def none(statement: str) -> bool:
        return not await realm.rows(statement)

    await eventually(lambda: none(_LIVE), realm.plan.drain, lambda: "the end of every job")
    if not realm.plan.patient:
        await realm.rows(_MINUTE)  # whoever had begun to send these is dead
    await eventually(lambda: none(_OWED), realm.plan.drain, lambda: "the end of every message")
    return time.monotonic() - began


@pytest.mark.timeout(900)
async def test_nothing_is_lost_and_nothing_is_done_twice(
    postgres: TestServer, database_url: str, tmp_path: Path
) -> None:
    given = plan()
    print(f"{SEED}={given.seed}")
    struck, began = Struck(), time.monotonic()
    async with DiscordServer(LargeGuild()) as discord, founded(tmp_path, discord, database_url, given) as realm:
        work = Work(realm, random.Random(given.seed))
        leadership = Leadership(realm.db, realm.look)
        watching = [asyncio.create_task(leadership.watch())]
        if not given.patient:
            watching.append(asyncio.create_task(sweeping(realm)))
        founding = time.monotonic() - began
        await work.start_some(given.up)
        stopped = [given.long_stop, *[0.0] * (given.hosts - 1)]
        fates = [fate(replica, given.seed, given.seconds) for replica in realm.replicas]
        fates += [
            fate(agent, given.seed, given.seconds, long_stop=long)
            for agent, long in zip(realm.agents, stopped, strict=True)
        ]
        try:
            await asyncio.gather(
                strike(fates, given.seconds, struck), work.run(given.jobs - work.jobs, given.seconds - 2)
            )
            draining = await drained(realm)
            wrong = await verdict(realm)
        except BaseException:
            print(*await told(realm, struck, await unended(realm)), sep="\n")
            raise
        finally:
            for task in watching:
                task.cancel()
            done = await asyncio.gather(*watching, return_exceptions=True)
        wrong += [f"a watch ended: {end!r}" for end in done if not isinstance(end, asyncio.CancelledError)]
        gaps = leadership.gaps([period for replica in realm.replicas for period in replica.life.periods])
        wrong += [f"nobody led: {gap}, {gap.seconds:.2f} s" for gap in gaps if gap.seconds > WORST]
        print(f"founded in {founding:.1f} s, drained in {draining:.1f} s, in all {time.monotonic() - began:.1f} s")
        print(f"jobs {work.jobs} + {len(work.typed)} typed, asked {dict(work.asked)}, refused {dict(work.refused)}")
        print(f"strokes {dict(struck.counts)}; longest without a leader: {[f'{gap.seconds:.2f}' for gap in gaps[:5]]}")
        if wrong:
            print(*await told(realm, struck, wrong), sep="\n")
        assert not wrong, f"{len(wrong)} things are wrong, {SEED}={given.seed}: {wrong[:5]}"
