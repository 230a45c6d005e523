"""kill -9 in the middle of a tick, again and again: every run happens once, with its audit row."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot import clock
from tests.bot.services.schedules_world import Clock, Planned
from tests.bot.world import World
from tests.sources import ROOT

SCHEDULES = 400
KILLS = 3


@asynccontextmanager
async def ticking(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that does what is due; killed at the end, whatever it is doing."""
    arguments = ["-m", "tests.bot.services.schedules_ticker", url]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def done(world: World) -> int:
    return await world.value("select count(*) from jobs where source = 'schedule'")


async def until(world: World, jobs: int) -> None:
    async with asyncio.timeout(30):
        while await done(world) < jobs:
            await asyncio.sleep(0.001)


async def test_a_run_happens_once_wherever_its_process_dies(world: World, database_url: str) -> None:
    planned = await Planned.made(world, Clock(clock.now()))
    await planned.add(action="announce", text="Soon!", name="s")
    await world.rows(
        """with copies as (
             insert into schedules (org_id, server_instance_id, name, cron_expression, next_run_at)
             select s.org_id, s.server_instance_id, 's' || n, s.cron_expression, now() - interval '1 minute'
               from schedules s, generate_series(1, :n) n returning id)
           insert into schedule_tasks (schedule_id, sequence, job_type, payload)
           select copies.id, 1, t.job_type, t.payload from copies, schedule_tasks t""",
        n=SCHEDULES,
    )
    for part in range(1, KILLS + 1):
        async with ticking(database_url), ticking(database_url):
            await until(world, part * SCHEDULES // (KILLS + 1))
    async with ticking(database_url):
        await until(world, SCHEDULES)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}
    (counts,) = await world.rows(
        """select (select count(*) from jobs where source = 'schedule'),
                  (select count(distinct schedule_id) from jobs),
                  (select count(*) from audit_logs where action = 'schedule.run'),
                  (select count(*) from schedules where run_count = 1 and last_run_status = 'enqueued'
                      and last_run_job_id is not null and next_run_at > now())"""
    )
    assert counts == (SCHEDULES,) * 4
