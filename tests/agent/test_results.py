"""A result reaches the bot whatever dies in between, and what nobody knows is said to be unknown."""

import asyncio
import random
import resource
from datetime import timedelta

import pytest

from agent import wire
from agent.spool import Spool
from tests.agent.control_plane import ControlPlane
from tests.agent.faults import Fault, cut, lost, slow, status
from tests.agent.harness import HostMachine


@pytest.mark.parametrize("fault", [lost(), cut(), status(503), status(500), status(404, problem=False)])
async def test_a_result_is_sent_until_it_is_acknowledged(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, fault: Fault
) -> None:
    plane.faults["result"].extend([fault, fault])
    job = plane.enqueue(wire.ServerStart(), counter)
    await job.success()
    await host.until(lambda: str(job.run_id) in host.spooled(".sent"))
    assert len(job.results) == 1
    assert host.spooled(".started") == []


async def test_a_line_that_fails_now_and_then_is_not_waited_for_like_one_that_is_down(
    host: HostMachine, plane: ControlPlane
) -> None:
    """One of them gets through at a time; with a wait that doubles each time this would take more than a minute."""
    spool = Spool(host.state)
    spool.open()
    jobs = [plane.enqueue(wire.ServerStart(), None) for _ in range(8)]
    for job in jobs:
        spool.end(job.run_id, wire.Result(claim_token=job.token, outcome="failed", error="Nothing was done."))
    busy = status(503, retry_after=0.1)
    for left in range(len(jobs) - 1, 0, -1):
        plane.faults["result"].extend([slow(0), *[busy] * left])
    await host.start()
    async with asyncio.timeout(15):
        for job in jobs:
            await job.result()
    await host.until(lambda: len(host.spooled(".sent")) == len(jobs))


@pytest.mark.parametrize("code", [404, 409, 422])
async def test_a_result_that_nobody_wants_is_not_sent_again(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, code: int
) -> None:
    plane.faults["result"].append(status(code))
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: str(job.run_id) in host.spooled(".sent"))
    assert job.results == []


async def test_the_bot_is_away_while_a_run_ends(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.change_server(counter, vars={"delay": "10"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: host.count("arena", "starts") == 1)
    await plane.stop()
    await host.until(lambda: str(job.run_id) in host.spooled(".result"))
    await plane.start(plane.port)
    await job.success()


@pytest.mark.usefixtures("own_process")
async def test_killed_while_a_run_is_done(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.change_server(counter, vars={"delay": "300"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: host.count("arena", "starts") == 1)
    await host.kill()
    assert host.spooled(".started") == [str(job.run_id)]

    await host.start()
    result = await job.result()
    assert result.outcome == "unknown"
    assert "Look at the server" in result.error
    await plane.until(lambda report: report.state == "starting")
    assert host.count("arena", "starts") == 1


@pytest.mark.usefixtures("own_process")
async def test_killed_between_the_effect_and_the_result(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.always["result"] = status(503)
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: str(job.run_id) in host.spooled(".result"))
    await host.kill()
    del plane.always["result"]
    await host.start()
    await job.success()
    assert len(job.results) == 1
    assert host.count("arena", "starts") == 1


@pytest.mark.usefixtures("own_process")
async def test_killed_at_any_moment(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    await plane.enqueue(wire.ServerStart(), counter).success()
    moments = random.Random(340)
    jobs = [plane.enqueue(wire.ServerRestart(), counter)]
    for _ in range(6):
        await asyncio.sleep(moments.uniform(0, 0.8))
        await host.kill()
        await host.start()
        jobs.append(plane.enqueue(wire.ServerRestart(), counter))
    results = [await job.result() for job in jobs]
    succeeded = sum(result.outcome == "success" for result in results)
    begun = sum(any(progress.phase == "started" for progress in job.progress) for job in jobs)
    assert 1 + succeeded <= host.count("arena", "starts") <= 1 + begun
    assert all(len(job.results) == 1 for job in jobs)


@pytest.mark.usefixtures("own_process")
async def test_a_full_disk_refuses_to_begin(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    assert host.process is not None
    _, hard = resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (0, hard))  # no file can grow: no marker, no result
    result = await plane.enqueue(wire.ServerStart(), counter).result()
    assert result.outcome == "failed"
    assert "cannot write to its disk" in result.error
    assert host.count("arena", "starts") == 0
    resource.prlimit(host.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
    await plane.enqueue(wire.ServerStart(), counter).success()


async def test_a_cancelled_run(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.change_server(counter, vars={"delay": "300"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: "waiting_ready" in job.phases)
    job.cancel = True
    result = await job.result(3)  # reports come every 20 s: it is told of it
    words = "Cancelled at the step `waiting ready`. It was launched and runs on; only the wait was broken off."
    assert (result.outcome, result.error) == ("cancelled", words)


async def test_a_bot_that_cannot_say_at_once_is_asked_with_each_report(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.always["cancels"] = status(404)
    plane.lease = timedelta(seconds=4)  # renewed, and asked about, every second
    plane.change_server(counter, vars={"delay": "300"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: "waiting_ready" in job.phases)
    job.cancel = True
    assert (await job.result()).outcome == "cancelled"
    assert plane.calls.count("cancels") == 1


async def test_cancelled_before_it_began(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    job = plane.enqueue(wire.ServerStart(), counter)
    job.cancel = True
    result = await job.result()
    assert result.outcome == "cancelled"
    assert host.count("arena", "starts") == 0


async def test_a_run_that_takes_too_long(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.change_server(counter, vars={"delay": "300"})
    result = await plane.enqueue(wire.ServerStart(), counter, timeout=2).result()
    assert result.outcome == "failed"
    assert "not done within 2 s" in result.error


async def test_kill_does_not_wait(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.change_server(counter, vars={"delay": "300"})
    start = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: "waiting_ready" in start.phases)
    await plane.enqueue(wire.ServerKill(), counter).success(timeout=5)
    result = await start.result(timeout=5)
    assert result.outcome == "failed"
    await plane.until(lambda report: report.state == "stopped")
