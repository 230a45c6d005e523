"""Results that arrive together: the plain ones share a transaction, and no one's fate is another's."""

import asyncio

from sqlalchemy.exc import DBAPIError

from agent import wire
from bot.domain.actors import system
from bot.domain.jobs import JobType
from bot.errors import Conflict, NotFound
from bot.services.agents import HostIdentity
from db.queries import jobs
from tests.bot.world import CHANNEL, World, result

COMMAND = JobType.CONSOLE_COMMAND, wire.ConsoleCommand(command="status")


async def claimed(world: World, host: HostIdentity, count: int) -> list[wire.ClaimedJob]:
    server = await world.server(host)
    for _ in range(count):
        await world.enqueue(host, server, *COMMAND, channel_id=CHANNEL)
    return await world.claim(host, count)


async def test_results_that_come_together_are_each_written_as_a_whole(world: World) -> None:
    host, _ = await world.pair()
    done = await claimed(world, host, 12)
    outcomes = {job.number: "failed" if job.number % 3 == 0 else "success" for job in done}
    reports = [
        result(job, outcomes[job.number], output=f"out {job.number}", error="no" if job.number % 3 == 0 else "")
        for job in done
    ]
    await world.rows("update notification_jobs set status = 'sent'")
    answers = await asyncio.gather(
        *(world.queue.finish(host, job.run_id, report) for job, report in zip(done, reports, strict=True))
    )
    assert all(answer.accepted for answer in answers)
    ended = await world.rows(
        """select j.number, j.status, r.status, r.output, j.finished_at is not null from jobs j
             join job_runs r on r.job_id = j.id order by j.number"""
    )
    assert ended == [(number, status, status, f"out {number}", True) for number, status in sorted(outcomes.items())]
    audited = await world.rows(
        "select (details ->> 'number')::int, details from audit_logs where action = 'job.finish'"
    )
    assert {number: details["outcome"] for number, details in audited} == outcomes
    assert all(details["by"] == host.actor.name for _, details in audited)
    happened = await world.rows(
        "select (payload ->> 'number')::int, event_type from events where event_type like 'job.%'"
    )
    assert sorted(happened) == [(number, f"job.{status}") for number, status in sorted(outcomes.items())]
    owed = await world.rows("select event_type from notification_jobs where status = 'pending' and op = 'edit'")
    assert sorted(kind for (kind,) in owed) == sorted(f"job.{status}" for status in outcomes.values())


async def test_whoever_is_refused_takes_nobody_along(world: World) -> None:
    host, _ = await world.pair()
    other, _ = await world.pair("gs-2")
    good, stale, foreign, unreadable, twice = await claimed(world, host, 5)
    answers = await asyncio.gather(
        world.queue.finish(host, good.run_id, result(good)),
        world.queue.finish(host, stale.run_id, wire.Result(claim_token=good.claim_token, outcome="success")),
        world.queue.finish(other, foreign.run_id, result(foreign)),
        world.queue.finish(host, unreadable.run_id, result(unreadable, output="\0")),
        world.queue.finish(host, twice.run_id, result(twice)),
        world.queue.finish(host, twice.run_id, result(twice)),
        return_exceptions=True,
    )
    assert isinstance(answers[0], wire.ResultAnswer) and answers[0].accepted
    assert (type(answers[1]), type(answers[2])) == (Conflict, NotFound)
    assert isinstance(answers[3], DBAPIError)
    assert sorted(answer.accepted for answer in answers[4:] if isinstance(answer, wire.ResultAnswer)) == [False, True]
    assert await world.value("select count(*) from jobs where status = 'success'") == 2
    assert (await world.audited()).count("job.finish") == 2


async def test_a_job_that_others_wait_for_passes_its_turn_on(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    first = await world.enqueue(host, server, *COMMAND)
    alone = await world.enqueue(host, server, *COMMAND)
    follower = await world.enqueue(host, server, *COMMAND, after=first.id)
    done = await world.claim(host)
    assert sorted(job.number for job in done) == [first.number, alone.number]
    await asyncio.gather(*(world.queue.finish(host, job.run_id, result(job)) for job in done))
    assert await world.job(first.number) == ("success", "success")
    assert await world.job(alone.number) == ("success", "success")
    assert await world.job(follower.number) == ("queued", None)


async def test_a_job_that_somebody_holds_keeps_no_other_waiting(world: World) -> None:
    host, _ = await world.pair()
    held, free = await claimed(world, host, 2)
    async with world.db.uow(system("test")) as tx:
        await jobs.lock(tx.session, held.id)
        waiting = asyncio.create_task(world.queue.finish(host, held.run_id, result(held)))
        assert (await world.queue.finish(host, free.run_id, result(free))).accepted
        assert await world.job(held.number) == ("running", "claimed")
    assert (await waiting).accepted
    assert await world.job(held.number) == ("success", "success")
