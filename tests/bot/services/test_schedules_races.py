"""Schedules that are changed while they run, or while their jobs end: nobody waits in a circle, nothing is lost."""

import asyncio

import pytest

from agent import wire
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.errors import Conflict
from bot.services import schedules_ended
from bot.services.fleet import Fleet
from bot.services.jobs_enqueue import enqueue
from db.queries import fleet, hosts, jobs
from tests.bot.people import again
from tests.bot.services.batches_world import Fleet as Servers
from tests.bot.services.schedules_world import Planned
from tests.bot.world import World, result


async def removed(planned: Planned, name: str) -> None:
    question = await planned.schedules.ask_remove(again(planned.owner), name)
    await planned.confirmations.press(again(planned.owner), question.token)


async def test_a_schedule_is_removed_while_its_jobs_end(planned: Planned) -> None:
    for n in range(8):
        await planned.add(action="announce", text="Soon!", name=f"s{n}")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 8, "skipped": 0}
    jobs = [await planned.world.started(planned.host) for _ in range(8)]
    queue = planned.world.queue
    await asyncio.gather(
        *(removed(planned, f"s{n}") for n in range(8)),
        *(queue.finish(planned.host, job.run_id, result(job)) for job in jobs),
    )
    assert await planned.jobs() == ["success"] * 8
    assert await planned.world.value("select count(*) from schedules") == 0


async def test_a_removal_waits_for_the_end_of_a_job_and_never_the_other_way_round(planned: Planned) -> None:
    await planned.add(action="announce", text="Soon!", name="s")
    planned.clock.to(4)
    await planned.due.tick()
    job_id = await planned.world.value("select id from jobs")
    async with planned.world.db.uow(system("test")) as tx:
        job = await jobs.lock(tx.session, job_id)
        assert job
        removal = asyncio.create_task(removed(planned, "s"))
        await waiting(planned.world)
        await schedules_ended.job_ended(tx, job, "success", reason="", result=None)
    await removal
    assert await planned.world.value("select count(*) from schedules") == 0


async def waiting(world: World) -> None:
    """Until somebody waits for a lock."""
    async with asyncio.timeout(5):
        while not await world.value("select count(*) from pg_locks where not granted"):
            await asyncio.sleep(0.01)


async def test_a_schedule_is_steered_while_it_is_due(planned: Planned) -> None:
    """Whoever is first counts: the run is done or left out, and the schedule goes on either way."""
    await planned.add(action="announce", text="Soon!", name="s")
    for _ in range(6):
        planned.clock.to(4)
        before = await planned.schedule("run_count", name="s")
        await asyncio.gather(
            planned.due.tick(), planned.schedules.skip(again(planned.owner), "s", 1), planned.due.tick()
        )
        await planned.due.tick()
        ran, left = await planned.schedule("run_count", "skip_next", name="s")
        assert (ran - before) == left, "skipped: it did not run; ran: the skip is for the next one"
        await planned.schedules.skip(again(planned.owner), "s", 0)
        planned.clock.on(minutes=20)
        await planned.world.sweep.expiry()


async def test_two_people_resume_and_one_is_told(planned: Planned) -> None:
    await planned.add(name="s")
    await planned.schedules.pause(again(planned.owner), "s", "")
    done = await asyncio.gather(
        *(planned.schedules.resume(again(planned.owner), "s") for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, Conflict) for one in done) == 2
    assert await planned.schedule("enabled", name="s") is True


async def test_a_server_is_removed_while_its_schedule_is_due(planned: Planned) -> None:
    """Both want the server for themselves: one of the two jobs is written, never both."""
    await planned.add()
    planned.clock.to(4)
    service = Fleet(planned.world.db)

    async def remove() -> None:
        async with planned.world.db.uow(again(planned.owner)) as tx:
            await service.removed(tx, {"server": str(planned.server)})

    await asyncio.gather(planned.due.tick(), remove(), return_exceptions=True)
    live = await planned.world.rows("select type from jobs where status = 'queued'")
    assert len(live) == 1
    planned.clock.to(4)
    await planned.due.tick()
    gone = await planned.world.value("select deleted_at is not null from server_instances")
    assert await planned.schedule("enabled") is not gone


async def test_a_run_on_many_servers_waits_in_no_circle_with_a_change_of_one(planned: Planned) -> None:
    """Who changes a server holds its row, then that of its host, and then may take the number of a job."""
    other = await planned.world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(action="announce", text="Soon!", server="", tag="eu", name="all")
    planned.clock.to(4)
    async with planned.world.db.uow(system("test", planned.world.org_id)) as tx:
        await fleet.lock(tx.session, planned.world.org_id, other)
        tick = asyncio.create_task(planned.due.tick())
        await waiting(planned.world)
        assert await hosts.lock(tx.session, planned.world.org_id, planned.host.id)
        job = await enqueue(
            tx,
            type=JobType.ANNOUNCE,
            host_id=planned.host.id,
            server_id=other,
            params=wire.Announce(text="Changed"),
        )
        tx.audit("test", resource=("server", other), number=job.number)
    assert await tick == {"enqueued": 1, "skipped": 0}


async def test_a_run_that_waits_behind_a_batch_begins_when_that_is_stopped(planned: Planned) -> None:
    world, other = planned.world, await planned.world.server(planned.host, "EU2")
    await world.rows("update server_instances set desired_state = 'running'")
    await planned.tagged("eu", planned.server, other)
    servers = Servers(world, planned.people, planned.owner, planned.host, [planned.server, other])
    await servers.start()
    await planned.add(overlap="queue", server=str(other), when="12:30")
    planned.clock.to(12, 30)
    await planned.due.tick()
    assert await servers.jobs() == ["queued", "held"] and await planned.jobs() == ["held"]
    await servers.batches.stop(again(planned.owner), "W-1")
    assert await servers.jobs() == ["queued", "cancelled"] and await planned.jobs() == ["queued"]


async def test_a_countdown_is_cancelled_though_another_run_waits_behind_it(planned: Planned) -> None:
    """The run behind goes on; it waited for the restart, and then for what announced it."""
    await planned.add(warn="15, 5", overlap="queue")
    planned.clock.to(3, 45)
    await planned.due.tick()
    await planned.add(when="3:50", overlap="queue", name="again")
    planned.clock.to(3, 50)
    await planned.due.tick()
    assert await planned.jobs() == ["queued", "held", "held", "held"]
    await planned.world.jobs.cancel(again(planned.owner), 3)
    assert await planned.jobs() == ["cancelled", "cancelled", "cancelled", "queued"]


async def test_a_chain_whose_restart_somebody_else_has_begun_says_so(planned: Planned) -> None:
    """They were faster by a moment: what was to follow the restart has nothing to follow."""
    preview = await planned.adding.ask(again(planned.owner), planned.wish(name="s"))
    preview = await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Back!", "after", "")
    await planned.confirmations.press(again(planned.owner), preview.token)
    question = await planned.running.ask(again(planned.owner), "s")
    async with planned.world.db.uow(system("test", planned.world.org_id)) as tx:
        await enqueue(
            tx,
            type=JobType.SERVER_RESTART,
            host_id=planned.host.id,
            server_id=planned.server,
            params=wire.ServerRestart(),
            dedupe_key=f"power:{planned.server}",
        )
        pressed = asyncio.create_task(planned.confirmations.press(again(planned.owner), question.token))
        await waiting(planned.world)
        tx.audit("test", resource=("server", planned.server))
    with pytest.raises(Conflict, match="Another action came in between"):
        await pressed
