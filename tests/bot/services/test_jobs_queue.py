"""The hosts' side of the queue: offers, leases, results, races."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from agent import wire
from bot import clock
from bot.domain.jobs import HEAD_START, JobType
from bot.errors import Conflict, NotFound
from bot.services.leases import Leases
from tests.bot.world import World, progress, result


async def test_a_lost_claim_is_offered_again_with_a_new_token(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    (first,) = await world.claim(host)
    (second,) = await world.claim(host)
    assert (first.run_id, first.attempt) == (second.run_id, second.attempt)
    assert first.claim_token != second.claim_token
    with pytest.raises(Conflict, match="stale"):
        await world.queue.progress(host, first.run_id, progress(first))
    with pytest.raises(Conflict, match="stale"):
        await world.queue.finish(host, first.run_id, result(first))
    await world.queue.progress(host, second.run_id, progress(second))
    assert await world.claim(host) == []  # begun: no offer any more


async def test_a_poll_is_woken_for_an_offer_that_did_not_arrive(world: World) -> None:
    """It may have looked while another poll of the same host was answered, and that answer got lost."""
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    (job,) = await world.claim(host)
    assert await world.queue.ready([host.id]) == []
    await world.rows("update job_runs set lease_expires_at = lease_expires_at - interval '4 seconds'")
    assert await world.queue.ready([host.id]) == [host.id]
    (job,) = await world.claim(host)
    await world.queue.progress(host, job.run_id, progress(job))
    await world.rows("update job_runs set lease_expires_at = lease_expires_at - interval '4 seconds'")
    assert await world.queue.ready([host.id]) == []


async def test_old_offers_come_before_new_jobs(world: World) -> None:
    host, _ = await world.pair()
    servers = [await world.server(host, name) for name in ("EU1", "EU2", "EU3")]
    jobs = [await world.enqueue(host, server) for server in servers]
    (first,) = await world.claim(host, 1)
    again = await world.claim(host, 2)
    assert [job.number for job in again] == [jobs[0].number, jobs[1].number]
    assert again[0].run_id == first.run_id


async def test_one_exclusive_job_per_server_others_pass(world: World) -> None:
    host, _ = await world.pair()
    eu1, eu2 = await world.server(host, "EU1"), await world.server(host, "EU2")
    await world.enqueue(host, eu1)
    await world.enqueue(host, eu1)
    await world.enqueue(host, eu1, JobType.ANNOUNCE, wire.Announce(text="hi"))
    await world.enqueue(host, eu2)
    first = await world.claim(host)
    assert sorted(job.number for job in first) == [1, 3, 4]
    for job in first:
        await world.queue.progress(host, job.run_id, progress(job))
    assert await world.claim(host) == []
    await world.queue.finish(host, first[0].run_id, result(first[0]))
    assert [job.number for job in await world.claim(host)] == [2]


async def test_whoever_asks_for_kills_gets_nothing_else(world: World) -> None:
    host, _ = await world.pair()
    eu1, eu2 = await world.server(host, "EU1"), await world.server(host, "EU2")
    await world.enqueue(host, eu1)
    await world.enqueue(host, eu2)
    (restart,) = await world.claim(host, 1)
    await world.queue.progress(host, restart.run_id, progress(restart))
    (lost,) = await world.claim(host, 1)
    assert await world.queue.claim(host, 4, only_kills=True) is None
    await world.enqueue(host, eu1, JobType.SERVER_KILL, wire.ServerKill())
    kills = [await world.queue.claim(host, 4, only_kills=True) for _ in range(2)]
    assert [[job.number for job in answer.jobs] for answer in kills if answer] == [[3], [3]], "a lost one comes again"
    assert lost.run_id in {job.run_id for job in await world.claim(host)}


async def test_many_claimers_never_get_the_same_job_or_server_twice(world: World) -> None:
    host, _ = await world.pair()
    servers = [await world.server(host, f"S{n}") for n in range(3)]
    for server in servers:
        for _ in range(3):
            await world.enqueue(host, server)
            await world.enqueue(host, server, JobType.ANNOUNCE, wire.Announce(text="hi"))
    claims = await asyncio.gather(*(world.claim(host, 4) for _ in range(10)))
    runs = await world.rows(
        "select job_id, count(*), count(distinct claim_token) from job_runs group by job_id having count(*) > 1"
    )
    assert runs == []
    exclusive = await world.rows("select server_instance_id, count(*) from job_runs where is_exclusive group by 1")
    assert all(count == 1 for _, count in exclusive)
    assert claims


async def test_two_hosts_that_meet_at_one_server(world: World) -> None:
    """A server that moved: both its old and its new host hold an exclusive job for it."""
    old, _ = await world.pair("old")
    new, _ = await world.pair("new")
    server = await world.server(old)
    for _ in range(8):
        await world.rows("delete from jobs")
        for host in (old, new):
            await world.enqueue(host, server)
        claimed = await asyncio.gather(world.claim(old), world.claim(new))
        assert sum(len(jobs) for jobs in claimed) == 1
        assert await world.value("select count(*) from jobs where status = 'queued'") == 1


async def test_jobs_wait_for_their_time(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    await world.enqueue(host, server, not_before=clock.now() + timedelta(minutes=5))
    assert await world.claim(host) == []
    assert await world.queue.ready([host.id]) == []


async def test_people_come_before_batches_before_schedules_before_the_rest(world: World) -> None:
    host, _ = await world.pair()
    jobs = [await world.enqueue(host, None, source=source) for source in ("system", "schedule", "batch", "command")]
    second = await world.enqueue(host, None, source="command")
    order = [job.number for job in await world.claim(host)]
    assert order == [jobs[3].number, second.number, jobs[2].number, jobs[1].number, jobs[0].number]


async def test_what_has_waited_for_long_is_not_overtaken_for_ever(world: World) -> None:
    host, _ = await world.pair()
    now = clock.now()
    old = await world.enqueue(host, None, source="system", not_before=now - 3 * HEAD_START - timedelta(seconds=1))
    late = await world.enqueue(host, None, source="system", not_before=now - 3 * HEAD_START + timedelta(seconds=1))
    urgent = await world.enqueue(host, None, source="command", not_before=now)
    assert [job.number for job in await world.claim(host)] == [old.number, urgent.number, late.number]


async def test_another_hosts_jobs_and_runs_are_out_of_reach(world: World) -> None:
    host, _ = await world.pair("gs-1")
    other, _ = await world.pair("gs-2")
    await world.enqueue(host, await world.server(host))
    assert await world.claim(other) == []
    job = await world.started(host)
    with pytest.raises(NotFound):
        await world.queue.progress(other, job.run_id, progress(job))
    with pytest.raises(NotFound):
        await world.queue.finish(other, job.run_id, result(job))
    with pytest.raises(NotFound):
        await world.queue.finish(host, uuid4(), result(job))
    assert await world.job(job.number) == ("running", "running")


async def test_a_result_counts_once(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    answers = await asyncio.gather(*(world.queue.finish(host, job.run_id, result(job)) for _ in range(6)))
    assert sorted(answer.accepted for answer in answers) == [False] * 5 + [True]
    assert (await world.audited()).count("job.finish") == 1
    assert (await world.events()).count("job.success") == 1


async def test_the_end_is_written_as_a_whole(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host, status="stopped")
    await world.enqueue(host, server, JobType.SERVER_START, wire.ServerStart())
    job = await world.started(host)
    await world.queue.finish(host, job.run_id, result(job, output="x" * 70_000, duration_ms=10**12))
    ((output, duration),) = await world.rows("select output, duration_ms from job_runs")
    assert (len(output), duration) == (wire.OUTPUT_MAX, 2**31 - 1)
    assert await world.value("select status from server_instances") == "running"
    assert (await world.events())[-2:] == ["job.success", "server.ready"]
    ((actor, details),) = await world.rows("select actor_type, details from audit_logs where action = 'job.finish'")
    assert actor == "agent"
    assert (details["outcome"], details["status"], details["serverId"]) == ("success", "success", str(server))


async def test_the_tail_of_the_output_is_kept_in_whole_characters(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    await world.queue.finish(host, job.run_id, result(job, output="ä" * 40_000 + "end"))
    output = await world.value("select output from job_runs")
    assert output.endswith("end")
    assert len(output.encode()) <= wire.OUTPUT_MAX


async def test_progress_renews_the_lease_and_edits_only_what_changed(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    await world.rows("update notification_jobs set status = 'sent'")
    await world.queue.progress(host, job.run_id, progress(job, wire.Step.STOPPING))
    assert await world.value("select count(*) from notification_jobs where status = 'pending'") == 1
    await world.rows("update notification_jobs set status = 'sent'")
    await world.rows("update job_runs set lease_expires_at = now() + interval '5 seconds'")
    await world.queue.progress(host, job.run_id, progress(job, wire.Step.STOPPING))
    assert await world.value("select lease_expires_at > now() + interval '80 seconds' from job_runs")
    assert await world.value("select count(*) from notification_jobs where status = 'pending'") == 0


async def test_an_offer_whose_lease_has_passed_cannot_be_begun(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    (job,) = await world.claim(host)
    await world.lapse(job.run_id)
    with pytest.raises(Conflict):
        await world.queue.progress(host, job.run_id, progress(job))
    assert await world.sweep.leases() == {"lost": 0, "returned": 1}
    assert await world.job(job.number) == ("queued", None)
    (again,) = await world.claim(host)
    assert (again.attempt, again.run_id != job.run_id) == (1, True)


async def test_unknown_is_said_to_be_unknown(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    job = await world.started(host)
    answer = await world.queue.finish(host, job.run_id, result(job, "unknown"))
    assert answer.accepted
    assert await world.job(job.number) == ("failed", "lost")
    assert "unknown" in await world.value("select error_message from job_runs")


async def test_what_may_be_done_twice_is_tried_again(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host, status="unknown")
    await world.enqueue(host, server, JobType.SERVER_CREATE, wire.ServerCreate())
    for attempt in (1, 2, 3):
        await world.rows("update jobs set not_before = now() - interval '1 minute'")
        job = await world.started(host)
        assert job.attempt == attempt
        assert await world.value("select status from server_instances") == "installing"
        await world.queue.finish(host, job.run_id, result(job, "failed", error="disk full"))
        expected = "queued" if attempt < 3 else "failed"
        assert await world.job(job.number) == (expected, "failed")
    assert await world.value("select status from server_instances") == "install_failed"
    assert (await world.events()).count("job.retry") == 2


async def test_held_jobs_follow(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    first = await world.enqueue(host, server)
    second = await world.enqueue(host, server, after=first.id)
    third = await world.enqueue(host, server, after=second.id)
    job = await world.started(host)
    assert await world.job(second.number) == ("held", None)
    await world.queue.finish(host, job.run_id, result(job))
    assert await world.job(second.number) == ("queued", None)
    job = await world.started(host)
    await world.queue.finish(host, job.run_id, result(job, "failed", error="no"))
    assert await world.job(third.number) == ("cancelled", None)
    details = await world.value("select details from audit_logs where action = 'job.finish' order by id desc limit 1")
    assert details["followers"] == [third.number]


async def test_whatever_happens_before_some_jobs_follow(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    first = await world.enqueue(host, server)
    last = await world.enqueue(host, server, after=first.id, after_any=True)
    await world.jobs.cancel(world.admin(), first.number)
    assert await world.job(last.number) == ("queued", None)


async def test_a_job_that_cannot_be_read_does_not_block_the_others(world: World) -> None:
    host, _ = await world.pair()
    broken = await world.enqueue(host, await world.server(host, "EU1"))
    good = await world.enqueue(host, await world.server(host, "EU2"))
    await world.rows("update jobs set payload = '{\"boom\": 1}' where number = :number", number=broken.number)
    assert [job.number for job in await world.claim(host)] == [good.number]
    assert await world.job(broken.number) == ("failed", "failed")


async def test_a_job_of_another_version_is_left_to_its_process(world: World) -> None:
    """While both run, and not tried again at once; a process that is alone says that it cannot read it."""
    host, _ = await world.pair()
    job = await world.enqueue(host, await world.server(host, "EU1"))
    other = await world.enqueue(host, await world.server(host, "EU2"))
    await world.rows("update jobs set type = 'SERVER_TELEPORT' where id = :id", id=job.id)
    old, new = Leases(world.db, "old"), Leases(world.db, "new")
    await old.take("role:http:old")
    await new.take("role:http:new")
    (offer,) = await world.claim(host)
    assert offer.number == other.number
    await world.queue.progress(host, offer.run_id, progress(offer))
    assert await world.job(job.number) == ("queued", None)
    await world.rows("update jobs set type = 'SERVER_RESTART' where id = :id", id=job.id)  # as the new one knows it
    assert await world.claim(host) == [], "not at once"
    later = "update jobs set not_before = not_before - interval '10 seconds' where id = :id"
    await world.rows(later, id=job.id)
    (offer,) = await world.claim(host)
    assert (offer.number, offer.attempt) == (job.number, 1)


async def test_a_revoked_key_gets_no_more_work(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, await world.server(host))
    await world.hosts.revoke(world.admin(), "gs-1")
    assert await world.claim(host) == []  # a poll that was open when the key was revoked
