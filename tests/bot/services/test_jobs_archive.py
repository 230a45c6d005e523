"""Finished jobs leave the queue, and whoever looks for one finds it where it went."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agent import wire
from bot import clock
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.errors import Conflict, NotFound
from bot.services.agents import HostIdentity
from bot.services.jobs_archive import KEPT_IN_QUEUE, JobArchive
from bot.services.retention import Retention
from bot.services.servers import Servers
from db.queries import jobs
from tests.bot.world import World, result

WHERE = "select 'queue', number from jobs union all select 'archive', number from jobs_archive order by 2"


async def ended(world: World, host: HostIdentity, days: float, outcome: str = "success", **options: Any) -> int:
    """A job that ended so long ago, with what the game said; its number."""
    server = options.pop("server", None)
    job = await world.enqueue(host, server, JobType.ANNOUNCE, wire.Announce(text="hello"), **options)
    run = await world.started(host)
    await world.queue.finish(host, run.run_id, result(run, outcome, output="said\n" * 2000))
    await world.rows(
        """update jobs set created_at = created_at - make_interval(secs => :age),
                  finished_at = finished_at - make_interval(secs => :age) where id = :id""",
        id=job.id,
        age=days * 86_400,
    )
    return job.number


async def archived(world: World, **options: Any) -> int:
    return (await JobArchive(world.db, **options).tick())["archived"]


async def test_what_ended_a_week_ago_is_moved_with_its_runs_and_nothing_else(world: World) -> None:
    host, _ = await world.pair()
    old = await ended(world, host, 7.1)
    young = await ended(world, host, 6.9)
    waiting = await world.enqueue(host, None)
    assert await archived(world) == 1
    assert await world.rows(WHERE) == [("archive", old), ("queue", young), ("queue", waiting.number)]
    assert await world.value("select count(*) from job_runs_archive") == 1
    assert await world.value("select count(*) from job_runs") == 1
    assert await archived(world) == 0
    assert timedelta(days=7) == KEPT_IN_QUEUE


async def test_it_is_shown_listed_and_read_as_before(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    number = await ended(world, host, 8, server=server)
    before = await world.jobs.show(world.admin(), number, whole=True)
    history = await Servers(world.db).history(world.admin(), "EU1")
    await archived(world)
    after = await world.jobs.show(world.admin(), number, whole=True)
    assert after.archived and not before.archived
    assert after.output == before.output == "said\n" * 2000
    assert (after.id, after.status, after.attempt, after.params) == (before.id, "success", 1, before.params)
    for status, of in (("", ""), ("success", ""), ("", server.hex)):
        assert [row.number for row in (await world.jobs.list(world.admin(), status=status, server=of)).rows] == [number]
    assert [row.number for row in await world.jobs.suggest(world.admin(), str(number))] == [number]
    assert await Servers(world.db).history(world.admin(), "EU1") == history


async def test_old_and_new_are_one_list_newest_first(world: World) -> None:
    host, _ = await world.pair()
    numbers = [await ended(world, host, days) for days in (9, 8, 3, 1)]
    await archived(world)
    assert [row.number for row in (await world.jobs.list(world.admin())).rows] == numbers[::-1]


async def test_it_is_neither_cancelled_nor_done_again(world: World) -> None:
    host, _ = await world.pair()
    number = await ended(world, host, 8, "failed")
    await archived(world)
    for act in (world.jobs.cancel, world.jobs.retry):
        with pytest.raises(Conflict, match="ended long ago"):
            await act(world.admin(), number)
    other = await World(world.db, guild=2002).found()
    for act in (other.jobs.cancel, other.jobs.retry, other.jobs.show):
        with pytest.raises(NotFound):
            await act(other.admin(), number)


async def test_a_result_that_comes_after_that_is_not_wanted(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, None)
    run = await world.started(host)
    await world.lapse(run.run_id)
    await world.sweep.leases()
    await world.rows("update jobs set finished_at = finished_at - interval '8 days'")
    await archived(world)
    with pytest.raises(NotFound):
        await world.queue.finish(host, run.run_id, result(run))


async def test_what_others_wait_for_stays(world: World) -> None:
    host, _ = await world.pair()
    first = await world.enqueue(host, None)
    later = clock.now() + timedelta(days=30)
    next_one = await world.enqueue(host, None, after=first.id, not_before=later)
    run = await world.started(host)
    await world.queue.finish(host, run.run_id, result(run))
    await world.rows("update jobs set finished_at = finished_at - interval '8 days' where finished_at is not null")
    assert await archived(world) == 0
    await world.jobs.cancel(world.admin(), next_one.number)
    assert await archived(world) == 1
    assert await world.rows(WHERE) == [("archive", first.number), ("queue", next_one.number)]


async def test_in_batches_by_two_at_once_each_job_goes_once(world: World) -> None:
    host, _ = await world.pair()
    for _ in range(12):
        await ended(world, host, 8)
    assert sum(await asyncio.gather(*(archived(world, batch=3) for _ in range(3)))) == 12
    assert await world.value("select count(*) from jobs") == 0
    assert await world.value("select count(*) from jobs_archive") == 12


async def test_a_job_that_somebody_holds_is_left_to_the_next_time(world: World) -> None:
    host, _ = await world.pair()
    held, other = await ended(world, host, 8), await ended(world, host, 8)
    async with world.db.uow(system("test")) as tx:
        assert await jobs.lock_number(tx.session, world.org_id, held)
        assert await archived(world) == 1
    assert (await world.rows(WHERE))[:2] == [("queue", held), ("archive", other)]
    assert await archived(world) == 1


async def test_after_ninety_days_it_is_gone(world: World) -> None:
    host, _ = await world.pair()
    gone, kept = await ended(world, host, 91), await ended(world, host, 89)
    await archived(world)
    await Retention(world.db).old_rows()
    assert await world.rows(WHERE) == [("archive", kept)]
    assert await world.value("select count(*) from job_runs_archive") == 1
    with pytest.raises(NotFound):
        await world.jobs.show(world.admin(), gone)


async def test_an_address_is_forgotten_after_thirty_days_there_too(world: World) -> None:
    host, _ = await world.pair()
    kick = wire.PlayerKick(identities={"name": "x", "ip": "192.0.2.9"}, name="x", reason="y")
    await world.enqueue(host, None, JobType.PLAYER_KICK, kick)
    run = await world.started(host)
    await world.queue.finish(host, run.run_id, result(run))
    await world.rows(
        "update jobs set created_at = created_at - interval '31 days', finished_at = finished_at - interval '31 days'"
    )
    await archived(world)
    await Retention(world.db).old_rows()
    assert await world.value("select payload -> 'identities' from jobs_archive") == {"name": "x"}


async def test_it_goes_with_its_org(world: World) -> None:
    host, _ = await world.pair()
    await ended(world, host, 8)
    await archived(world)
    await world.rows("delete from orgs where id = :org", org=world.org_id)
    assert await world.value("select count(*) from jobs_archive") == 0
    assert await world.value("select count(*) from job_runs_archive") == 0
