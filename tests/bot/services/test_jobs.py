"""Jobs as people use them."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy import text

from agent import wire
from bot.domain.jobs import JobType
from bot.errors import Conflict, NotFound, NotPermitted
from bot.services.consoles import Consoles
from tests.bot.world import CHANNEL, World, progress, result


async def test_a_job_comes_with_its_message_and_its_number(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    first, second = await world.enqueue(host, server), await world.enqueue(host, server)
    assert (first.number, second.number) == (1, 2)
    assert first.where == f"`J-1` · <#{CHANNEL}>"
    messages = await world.rows("select kind, subject_id, channel_id from bot_messages order by created_at")
    assert messages == [("job", str(first.id), CHANNEL), ("job", str(second.id), CHANNEL)]
    assert (
        await world.value("select count(*) from notification_jobs where op = 'post' and event_type = 'job.queued'") == 2
    )


async def test_messages_go_to_the_ops_channel_where_there_is_one(world: World) -> None:
    host, _ = await world.pair()
    await world.rows(
        """insert into notification_channels (org_id, name, purpose, type, discord_channel_id)
           values (:org, 'ops', 'ops', 'discord_channel', 77)""",
        org=world.org_id,
    )
    job = await world.enqueue(host, await world.server(host))
    assert job.channel_id == 77


async def test_many_at_once_get_different_numbers(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    jobs = await asyncio.gather(*(world.enqueue(host, server) for _ in range(12)))
    assert sorted(job.number for job in jobs) == list(range(1, 13))


async def test_an_announcement_to_all_waits_in_no_circle_with_who_changes_a_server(world: World) -> None:
    """They hold the server's row and then take a number of a job, as /mod deploy does; the announcement takes many."""
    host, _ = await world.pair()
    await world.rows("""update hosts set games = jsonb_set(games, '{0,capabilities}', '["say"]'), status = 'online'""")
    first, _ = await world.server(host), await world.server(host, "EU2")
    await world.enqueue(host, first)
    async with world.db.engine.connect() as connection:
        await connection.execute(text("begin"))
        await connection.execute(text("select 1 from server_instances where name = 'EU2' for update"))
        announced = asyncio.create_task(Consoles(world.db).announce(world.admin(), "hi"))
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        async with asyncio.timeout(5):
            while not await world.value(waits):
                await asyncio.sleep(0.01)
        await connection.execute(text("update org_counters set value = value + 1 where name = 'job'"))
        await connection.execute(text("commit"))
    assert (await announced).title == "Announced on 2 servers"


async def test_a_dedupe_key_is_taken_while_its_job_lives(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    job = await world.enqueue(host, server, dedupe_key="power")
    with pytest.raises(Conflict, match=f"J-{job.number}"):
        await world.enqueue(host, server, dedupe_key="power")
    await world.jobs.cancel(world.admin(), job.number)
    again = await world.enqueue(host, server, dedupe_key="power")
    assert again.number == 2  # the refused one took no number


async def test_a_waiting_job_is_cancelled_at_once(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    await world.jobs.cancel(world.admin(), job.number)
    assert await world.job(job.number) == ("cancelled", None)
    assert await world.claim(host) == []
    assert (await world.audited())[-1] == "job.cancel"
    with pytest.raises(Conflict, match="ended already: cancelled"):
        await world.jobs.cancel(world.admin(), job.number)


async def test_an_offer_that_was_not_begun_is_cancelled_at_once(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    (claimed,) = await world.claim(host)
    await world.jobs.cancel(world.admin(), job.number)
    assert await world.job(job.number) == ("cancelled", "cancelled")
    with pytest.raises(Conflict, match="over: cancelled"):
        await world.queue.progress(host, claimed.run_id, progress(claimed))


async def test_a_begun_job_is_asked_to_stop(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    claimed = await world.started(host)
    await world.jobs.cancel(world.admin(), job.number)
    assert await world.job(job.number) == ("running", "running")
    answer = await world.queue.progress(host, claimed.run_id, progress(claimed, wire.Step.STOPPING))
    assert answer.cancel is True
    await world.queue.finish(host, claimed.run_id, result(claimed, "cancelled"))
    assert await world.job(job.number) == ("cancelled", "cancelled")


async def test_a_job_that_succeeds_in_spite_of_the_cancel_says_so(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    claimed = await world.started(host)
    await world.jobs.cancel(world.admin(), job.number)
    await world.queue.finish(host, claimed.run_id, result(claimed))
    assert await world.job(job.number) == ("success", "success")


async def test_cancelling_and_retrying_need_the_jobs_own_permission(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    for act in (world.jobs.cancel, world.jobs.retry):
        with pytest.raises(NotPermitted, match=r"jobs\.cancel"):
            await act(world.member(), job.number)
    assert await world.job(job.number) == ("queued", None)


async def test_a_job_of_a_later_version_is_left_to_it(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    await world.rows("update jobs set type = 'SERVER_TELEPORT'")
    for act in (world.jobs.cancel, world.jobs.retry):
        with pytest.raises(Conflict, match="later version"):
            await act(world.admin(), job.number)


async def test_jobs_of_another_guild_are_not_there(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host))
    other = await World(world.db, guild=2002).found()
    for act in (other.jobs.cancel, other.jobs.retry, other.jobs.show):
        with pytest.raises(NotFound):
            await act(other.admin(), job.number)


async def test_a_retry_is_a_new_job_with_the_same_parameters(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    job = await world.enqueue(host, server, JobType.ANNOUNCE, wire.Announce(text="hello"))
    with pytest.raises(Conflict, match="nothing to retry"):
        await world.jobs.retry(world.admin(), job.number)
    claimed = await world.started(host)
    await world.queue.finish(host, claimed.run_id, result(claimed, "failed", error="no console"))

    again = await world.jobs.retry(world.admin(), job.number)
    (offer,) = await world.claim(host)
    assert (offer.number, offer.params) == (again.number, wire.Announce(text="hello"))
    with pytest.raises(Conflict, match=f"J-{again.number} is waiting"):
        await world.jobs.retry(world.admin(), job.number)  # one retry at a time


async def test_the_removal_of_a_server_can_be_done_again(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.rows("update server_instances set deleted_at = now() where id = :id", id=server)
    start = await world.enqueue(host, server, JobType.SERVER_START, wire.ServerStart())
    removal = await world.enqueue(host, server, JobType.SERVER_REMOVE, wire.ServerRemove())
    for job in (start, removal):
        await world.jobs.cancel(world.admin(), job.number)
    with pytest.raises(Conflict, match=f"server or host of J-{start.number} was removed"):
        await world.jobs.retry(world.admin(), start.number)
    again = await world.jobs.retry(world.admin(), removal.number)
    await world.jobs.cancel(world.admin(), again.number)
    await world.rows("update hosts set deleted_at = now()")
    with pytest.raises(Conflict, match=f"server or host of J-{removal.number} was removed"):
        await world.jobs.retry(world.admin(), removal.number)


async def test_a_part_of_a_deployment_is_not_done_again_by_itself(world: World) -> None:
    host, _ = await world.pair()
    params = wire.ModInstall(
        deployment_id=uuid4(), artifact_id=uuid4(), sha256="0" * 64, size_bytes=1, name="Bigger", version="1"
    )
    job = await world.enqueue(host, await world.server(host), JobType.MOD_INSTALL, params)
    await world.jobs.cancel(world.admin(), job.number)
    with pytest.raises(Conflict, match=f"J-{job.number} cannot be done again") as refused:
        await world.jobs.retry(world.admin(), job.number)
    assert "/mod deploy" in refused.value.remedy


async def test_what_a_game_said_is_read_for_one_job_only(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host), JobType.ANNOUNCE, wire.Announce(text="hello"))
    claimed = await world.started(host)
    await world.queue.finish(host, claimed.run_id, result(claimed, output="x" * 60_000))
    assert len((await world.jobs.show(world.admin(), job.number)).output or "") == 60_000
    assert [row.output for row in await world.jobs.suggest(world.admin(), "")] == [None]


async def test_lists_are_paged_and_chosen(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    for _ in range(12):
        await world.enqueue(host, server)
    await world.jobs.cancel(world.admin(), 3)
    first = await world.jobs.list(world.admin())
    second = await world.jobs.list(world.admin(), page=1)
    assert [job.number for job in first.rows] == list(range(12, 2, -1))
    assert (first.more, [job.number for job in second.rows], second.more) == (True, [2, 1], False)
    assert [job.number for job in (await world.jobs.list(world.admin(), status="cancelled")).rows] == [3]
    assert len((await world.jobs.list(world.admin(), status="live", server="EU1")).rows) == 10
    assert [job.number for job in await world.jobs.suggest(world.admin(), "J-12")] == [12]


async def test_nothing_is_given_to_a_host_that_is_removed_at_the_same_moment(world: World) -> None:
    host, _ = await world.pair()
    job = await world.enqueue(host, None, JobType.ANNOUNCE, wire.Announce(text="x"))
    await world.jobs.cancel(world.admin(), job.number)
    async with world.db.uow(world.admin()) as tx:
        await world.hosts.remove_in(tx, host.name)
        retry = asyncio.create_task(world.jobs.retry(world.admin(), job.number))
        await asyncio.sleep(0.2)
        assert not retry.done()  # it waits for the host's row
    with pytest.raises(Conflict, match="removed"):
        await retry
    assert await world.value("select count(*) from jobs where status = 'queued'") == 0
