"""Runs and jobs that end because nobody reports."""

import asyncio
from datetime import timedelta

import pytest

from agent import wire
from bot import clock
from bot.domain.jobs import JobType
from db.queries import job_runs
from tests.bot.world import World, progress, result


async def test_a_silent_host_loses_its_run_and_nothing_is_done_twice(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    await world.lapse(job.run_id)
    assert await world.sweep.leases() == {"lost": 1, "returned": 0}
    assert await world.job(job.number) == ("failed", "lost")
    assert (await world.audited())[-1] == "job.lost"
    assert await world.value("select actor_type from audit_logs where action = 'job.lost'") == "system"
    assert await world.sweep.leases() == {"lost": 0, "returned": 0}


async def test_the_late_result_of_a_lost_run_is_the_truth(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    await world.lapse(job.run_id)
    await world.sweep.leases()
    assert (await world.queue.finish(host, job.run_id, result(job))).accepted is True
    assert await world.job(job.number) == ("success", "success")
    assert (await world.queue.finish(host, job.run_id, result(job))).accepted is False


async def test_a_late_success_cancels_the_queued_retry(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host), JobType.SERVER_CREATE, wire.ServerCreate())
    job = await world.started(host)
    await world.lapse(job.run_id)
    await world.sweep.leases()
    assert await world.job(job.number) == ("queued", "lost")
    await world.rows("update jobs set not_before = now() - interval '1 minute'")
    await world.claim(host)  # the retry is offered, but not begun
    assert (await world.queue.finish(host, job.run_id, result(job))).accepted is True
    assert await world.job(job.number) == ("success", "success")
    assert await world.value("select count(*) from job_runs") == 1


async def test_a_late_result_is_only_noted_while_a_newer_attempt_runs(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host), JobType.SERVER_CREATE, wire.ServerCreate())
    old = await world.started(host)
    await world.lapse(old.run_id)
    await world.sweep.leases()
    await world.rows("update jobs set not_before = now() - interval '1 minute'")
    new = await world.started(host)
    assert new.attempt == 2
    assert (await world.queue.finish(host, old.run_id, result(old, output="was here"))).accepted is False
    assert await world.job(old.number) == ("running", "running")
    assert await world.value("select output from job_runs where attempt = 1") == "was here"
    assert (await world.queue.finish(host, new.run_id, result(new))).accepted is True
    assert await world.job(old.number) == ("success", "success")


async def test_a_retry_that_begins_in_the_moment_of_a_late_result_is_not_left_over(world: World) -> None:
    """Else its job had ended while it ran, and was queued for a third time when its lease passed."""
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host), JobType.SERVER_CREATE, wire.ServerCreate())
    old = await world.started(host)
    await world.lapse(old.run_id)
    await world.sweep.leases()
    await world.rows("update jobs set not_before = now() - interval '1 minute'")
    (new,) = await world.claim(host)
    begins = {"host_id": host.id, "run_id": new.run_id, "token": new.claim_token}
    async with world.db.uow(host.actor) as tx:
        await job_runs.progress(tx.session, **begins, phase="started", message="", now=clock.now())
        late = asyncio.create_task(world.queue.finish(host, old.run_id, result(old)))
        await asyncio.wait({late}, timeout=0.5)
        assert not late.done()
    assert (await late).accepted is False
    assert await world.job(old.number) == ("running", "running")
    assert (await world.queue.finish(host, new.run_id, result(new))).accepted is True
    assert await world.job(old.number) == ("success", "success")


async def test_a_late_failure_leaves_the_retry_waiting(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host), JobType.SERVER_CREATE, wire.ServerCreate())
    job = await world.started(host)
    await world.lapse(job.run_id)
    await world.sweep.leases()
    assert (await world.queue.finish(host, job.run_id, result(job, "failed", error="disk full"))).accepted is True
    assert await world.job(job.number) == ("queued", "failed")


async def test_a_sweep_and_a_result_at_the_same_time_agree(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    for _ in range(10):
        await world.enqueue(host, server)
        job = await world.started(host)
        await world.lapse(job.run_id)
        await asyncio.gather(world.sweep.leases(), world.queue.finish(host, job.run_id, result(job)))
        assert await world.job(job.number) == ("success", "success")


async def test_several_sweepers_take_each_case_once(world: World) -> None:
    host, _ = await world.pair()
    for number in range(4):
        await world.enqueue(host, await world.server(host, f"EU{number}"))
    for job in await world.claim(host):
        if job.number > 2:
            await world.queue.progress(host, job.run_id, progress(job))
        await world.lapse(job.run_id)
    swept = await asyncio.gather(*(world.sweep.leases() for _ in range(4)))
    assert sum(row["lost"] for row in swept) == 2
    assert sum(row["returned"] for row in swept) == 2
    assert (await world.audited()).count("job.lost") == 2


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("offline", "EU1's host gs-1 did not come back within 15 minutes"),
        ("online", "EU1's host gs-1 had other work for 15 minutes, so this was not begun"),
    ],
)
async def test_a_job_that_waited_too_long_says_why(world: World, status: str, words: str) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host), not_before=clock.now() - timedelta(minutes=16))
    await world.rows("update hosts set status = :status", status=status)
    await world.rows("update notification_jobs set status = 'sent'")
    assert await world.claim(host) == []  # too late, even before the sweep
    assert await world.sweep.expiry() == {"expired": 1}
    assert await world.job(1) == ("expired", None)
    assert await world.value("select payload_json ->> 'reason' from notification_jobs where op = 'edit'") == words
    assert await world.value("select details ->> 'reason' from audit_logs where action = 'job.expire'") == words
    assert await world.sweep.expiry() == {"expired": 0}


async def test_an_expired_job_takes_its_followers_along(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    first = await world.enqueue(host, server, not_before=clock.now() - timedelta(minutes=16))
    second = await world.enqueue(host, server, after=first.id)
    await world.sweep.expiry()
    assert await world.job(second.number) == ("cancelled", None)


async def test_removing_a_server_waits_as_long_as_it_takes(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    begin = clock.now() - timedelta(days=20)
    await world.enqueue(host, server, JobType.SERVER_REMOVE, wire.ServerRemove(), not_before=begin)
    assert await world.sweep.expiry() == {"expired": 0}
    assert len(await world.claim(host)) == 1


@pytest.mark.parametrize("outcome", ["failed", "lost"])
async def test_an_attempt_that_comes_late_waits_as_long_as_the_first(world: World, outcome: str) -> None:
    """A restart of a schedule may be tried again an hour later, when it would have been too late for the first one."""
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    waits = timedelta(hours=1)
    await world.rows("update jobs set max_attempts = 2, backoff_sec = :sec", sec=int(waits.total_seconds()))
    job = await world.started(host)
    if outcome == "lost":
        await world.lapse(job.run_id)
        await world.sweep.leases()
    else:
        await world.queue.finish(host, job.run_id, result(job, "failed"))
    assert await world.job(job.number) == ("queued", outcome)
    assert await world.value("select expires_at - not_before from jobs") == timedelta(minutes=15)
    earlier = "{0} = {0} - cast(:by as interval)"
    times = earlier.format("not_before"), earlier.format("expires_at")
    await world.rows(f"update jobs set {', '.join(times)}", by=waits)
    assert await world.sweep.expiry() == {"expired": 0}
    (again,) = await world.claim(host)
    assert again.attempt == 2
