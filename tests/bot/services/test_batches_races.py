"""Batches where much happens at once: no more are under way than asked, none is lost, and the end comes once."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from bot.errors import Conflict, Unavailable
from bot.services.agents import HostIdentity
from bot.services.batches_tending import BatchSweep
from bot.services.confirmations import Done
from db.engine import Database
from tests.bot.people import again
from tests.bot.services.batches_world import Fleet
from tests.bot.world import World, progress, result


@pytest.fixture
async def fleet(world: World) -> Fleet:
    return await Fleet.made(world)


@asynccontextmanager
async def holding(world: World, table: str, where: str) -> AsyncIterator[None]:
    """Somebody else holds rows of a table."""
    async with world.db.engine.connect() as connection:
        await connection.execute(text("begin"))
        await connection.execute(text(f"select 1 from {table} where {where} for update"))
        yield
        await connection.execute(text("rollback"))


async def works(fleet: Fleet, host: HostIdentity, stop: asyncio.Event) -> None:
    """A host that ends whatever it gets, well or not."""
    chance = random.Random(host.name)
    while not stop.is_set():
        for job in await fleet.world.claim(host, 5):
            await fleet.world.queue.progress(host, job.run_id, progress(job))
            outcome = chance.choice(["success", "success", "failed"])
            await fleet.world.queue.finish(host, job.run_id, result(job, outcome))
        await asyncio.sleep(0.005)


async def test_many_hosts_many_ticks_and_never_more_than_asked(fleet: Fleet, database_url: str) -> None:
    hosts = [fleet.host, *[(await fleet.world.pair(f"gs-{n}"))[0] for n in (2, 3)]]
    await fleet.capable("restart")
    for n in range(20):
        await fleet.more(hosts[n % 3])
    other, stop = Database(database_url, role="workers"), asyncio.Event()
    await fleet.start(parallel=3)
    most = 0

    async def ticks() -> None:
        nonlocal most
        while await fleet.batch("status") == "running":
            await BatchSweep(other).tick()
            under_way = await fleet.world.value("select count(*) from jobs where status in ('queued', 'running')")
            most = max(most, under_way)
        stop.set()

    async with asyncio.timeout(30):
        await asyncio.gather(ticks(), *(works(fleet, host, stop) for host in hosts))
    await other.close()
    jobs = await fleet.jobs()
    assert len(jobs) == 24 and set(jobs) <= {"success", "failed"}
    assert most == 3
    assert (await fleet.world.audited()).count("batch.end") == 1
    ended = await fleet.world.value("select details from audit_logs where action = 'batch.end'")
    assert (ended["success"], ended["notDone"]) == (jobs.count("success"), jobs.count("failed"))


async def test_announcements_that_come_back_together(fleet: Fleet) -> None:
    for _ in range(36):
        await fleet.more()
    await fleet.start(action="announce", text="Soon!")
    jobs = await fleet.world.claim(fleet.host, 40)
    await asyncio.gather(*(fleet.world.queue.progress(fleet.host, job.run_id, progress(job)) for job in jobs))
    await asyncio.gather(*(fleet.world.queue.finish(fleet.host, job.run_id, result(job)) for job in jobs))
    assert await fleet.jobs() == ["success"] * 40
    assert await fleet.batch("status") == "done" and (await fleet.world.audited()).count("batch.end") == 1


async def test_two_people_stop_at_once(fleet: Fleet) -> None:
    await fleet.start()
    pia = await fleet.people.actor("pia", administrator=True)
    titles = [done.title for done in await asyncio.gather(fleet.stop(), fleet.stop(actor=pia))]
    assert titles.count("W-1 begins nothing more") == 1 and sum("already" in title for title in titles) == 1
    assert await fleet.jobs() == ["queued", "cancelled", "cancelled", "cancelled"]
    assert sorted(action for action in await fleet.world.audited() if action.startswith("batch.stop")) == [
        "batch.stop",
        "batch.stop.again",
    ]


async def test_a_stop_and_an_end_at_the_same_moment(fleet: Fleet) -> None:
    for _ in range(4):
        await fleet.start()
        number = await fleet.world.value("select max(number) from job_batches")
        job = await fleet.world.started(fleet.host)
        await asyncio.gather(fleet.stop(number), fleet.world.queue.finish(fleet.host, job.run_id, result(job)))
        jobs = await fleet.jobs(number)
        if jobs[1] == "queued":  # the end came first
            await fleet.finish()
        assert set((await fleet.jobs(number))[2:]) == {"cancelled"}
        assert await fleet.batch("status", number=number) == "cancelled"


async def test_two_batches_on_the_same_servers(fleet: Fleet) -> None:
    pia = await fleet.people.actor("pia", administrator=True)
    one, two = await fleet.ask(), await fleet.ask(pia, action="stop")
    first, second = await asyncio.gather(fleet.press(one), fleet.press(two, pia), return_exceptions=True)
    assert sorted(isinstance(outcome, Done) for outcome in (first, second)) == [False, True]
    (refused,) = [outcome for outcome in (first, second) if isinstance(outcome, Conflict)]
    assert "S01: J-1 is waiting or under way" in refused.remedy
    assert await fleet.world.value("select count(*) from job_batches") == 1
    assert await fleet.jobs() == ["queued", "held", "held", "held"]


async def test_a_double_click_begins_one(fleet: Fleet) -> None:
    asked = await fleet.ask()
    both = await asyncio.gather(fleet.press(asked), fleet.press(asked))
    assert both[0] == both[1] and await fleet.world.value("select count(*) from job_batches") == 1


async def test_cancelling_single_ones(fleet: Fleet) -> None:
    """Of one that waits nothing follows; one that is under way makes room."""
    await fleet.start(stop_on_failure=True)
    await fleet.world.jobs.cancel(again(fleet.owner), 2)
    assert await fleet.jobs() == ["queued", "cancelled", "held", "held"]
    await fleet.world.jobs.cancel(again(fleet.owner), 1)
    assert await fleet.jobs() == ["cancelled", "cancelled", "queued", "held"]
    await fleet.finish("success")
    await asyncio.gather(
        fleet.finish("success"), *(fleet.world.jobs.show(fleet.owner, number) for number in range(1, 5))
    )
    assert await fleet.batch("status", "stopped_at") == ("done", None)
    assert (await fleet.states())["S01"] == "not begun"


async def test_whoever_holds_a_job_keeps_nobody_waiting_and_its_turn_comes(fleet: Fleet) -> None:
    await fleet.start()
    async with holding(fleet.world, "jobs", "number = 2"):
        await fleet.finish()
        assert await fleet.jobs() == ["success", "held", "queued", "held"]
        await fleet.finish("success", "success")
        assert await fleet.jobs() == ["success", "held", "success", "success"]
        assert await fleet.sweep.tick() == {"tended": 1}
        assert await fleet.jobs() == ["success", "held", "success", "success"]
    await asyncio.gather(*(fleet.sweep.tick() for _ in range(3)))
    assert await fleet.jobs() == ["success", "queued", "success", "success"]
    await fleet.finish()
    assert await fleet.batch("status") == "done"
    assert await fleet.sweep.tick() == {"tended": 0}


async def test_one_that_somebody_held_while_it_was_stopped_does_not_begin(fleet: Fleet) -> None:
    await fleet.start()
    async with holding(fleet.world, "jobs", "number = 3"):
        await fleet.stop()
        assert await fleet.jobs() == ["queued", "cancelled", "held", "cancelled"]
    await fleet.finish()
    assert await fleet.jobs() == ["success", "cancelled", "cancelled", "cancelled"]
    assert await fleet.batch("status") == "cancelled"


async def test_a_result_that_comes_late_is_shown_and_ends_nothing_twice(fleet: Fleet) -> None:
    await fleet.start(stop_on_failure=True)
    job = await fleet.world.started(fleet.host)
    await fleet.world.lapse(job.run_id)
    await fleet.world.sweep.leases()
    assert await fleet.jobs() == ["failed", "cancelled", "cancelled", "cancelled"]
    ended = await fleet.batch("status", "completed_at")
    assert ended[0] == "cancelled"
    await fleet.world.queue.finish(fleet.host, job.run_id, result(job))
    assert (await fleet.states())["S01"] == "done"
    assert await fleet.batch("status", "completed_at") == ended
    assert (await fleet.world.audited()).count("batch.end") == 1


async def test_one_that_cannot_be_tended_keeps_no_other_from_going_on(fleet: Fleet) -> None:
    await fleet.start(action="announce", text="hi", parallel=1)
    await fleet.start(parallel=1)
    await fleet.world.rows("update jobs set status = 'success', finished_at = now() where status = 'queued'")
    async with fleet.world.db.engine.connect() as somebody:
        await somebody.execute(text("begin"))
        await somebody.execute(text("select 1 from job_batches where number = 1 for update"))
        with pytest.raises(Unavailable):
            await fleet.sweep.tick()
        await somebody.execute(text("rollback"))
    assert [(await fleet.jobs(number))[1] for number in (1, 2)] == ["held", "queued"]
    assert await fleet.sweep.tick() == {"tended": 1}


@pytest.mark.parametrize("table", ["server_instances", "hosts"])
async def test_whoever_changes_a_server_or_host_and_wants_a_job_waits_in_no_circle(fleet: Fleet, table: str) -> None:
    """They hold its row and then take a number of a job, as /mod deploy and /fleet add do; the batch takes many."""
    asked = await fleet.ask()
    number = "update org_counters set value = value + 1 where name = 'job'"
    await fleet.world.rows("insert into org_counters (org_id, name, value) select id, 'job', 0 from orgs")
    name = "S03" if table == "server_instances" else fleet.host.name
    async with fleet.world.db.engine.connect() as connection:
        await connection.execute(text("begin"))
        await connection.execute(text(f"select 1 from {table} where name = :name for update"), {"name": name})
        pressed = asyncio.create_task(fleet.press(asked))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        async with asyncio.timeout(5):
            while not await fleet.world.value(waits):
                await asyncio.sleep(0.01)
        await connection.execute(text(number))
        await connection.execute(text("commit"))
    assert (await pressed).title == "Restart on 4 servers"
