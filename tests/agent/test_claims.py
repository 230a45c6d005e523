"""A claim is only an offer: whatever happens to the answers, a run is done once or not at all."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from aiohttp import web

from agent import wire
from agent.runner import KILLS, SLOTS
from tests.agent.control_plane import ControlPlane
from tests.agent.faults import Fault, cut, lost, status
from tests.agent.harness import HostMachine
from tests.wire.waiting import eventually


@pytest.mark.parametrize("fault", [lost(), cut()])
async def test_an_offer_that_did_not_arrive_is_offered_again(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, fault: Fault
) -> None:
    await plane.fault_next_claim(fault)
    job = plane.enqueue(wire.ServerStart(), counter)
    await job.success()
    assert host.count("arena", "starts") == 1
    assert len(job.results) == 1


@pytest.mark.parametrize("fault", [lost(), cut(), status(503), status(404, problem=False)])
async def test_the_start_is_reported_until_it_is_answered(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, fault: Fault
) -> None:
    plane.faults["progress"].extend([fault, fault])
    await plane.enqueue(wire.ServerStart(), counter).success()
    assert host.count("arena", "starts") == 1


async def test_a_refused_start_is_not_done(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.faults["progress"].append(status(409))
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until_log("not started: the bot has taken the offer back")
    assert host.count("arena", "starts") == 0
    await job.success()  # the next poll is offered it again, with a new token
    assert len(job.tokens) == 2
    assert host.count("arena", "starts") == 1


async def test_a_lease_passes_while_the_bot_does_not_answer(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.lease = timedelta(seconds=1.5)
    plane.always["progress"] = status(503)
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until_log("not started: the bot did not answer in time")
    assert host.count("arena", "starts") == 0
    del plane.always["progress"]
    plane.lease = timedelta(seconds=90)
    await job.success()


async def test_the_bots_clock_counts(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.now_offset = timedelta(days=-400)
    await plane.enqueue(wire.ServerStart(), counter).success()
    plane.now_offset = timedelta(days=400)
    await plane.enqueue(wire.ServerStop(), counter).success()
    plane.lease = timedelta(seconds=-1)
    plane.enqueue(wire.ServerStart(), counter)
    await host.until_log("not started: the bot did not answer in time")
    assert host.count("arena", "starts") == 1


@pytest.mark.usefixtures("own_process")
async def test_a_host_that_stood_still_does_not_start(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    async def asleep(_: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        host.freeze()
        asyncio.get_running_loop().call_later(1.5, host.thaw)
        return await handle()

    plane.lease = timedelta(seconds=1)
    plane.faults["progress"].append(asleep)
    job = plane.enqueue(wire.ServerStart(), counter)
    await asyncio.sleep(3)
    assert host.count("arena", "starts") == 0
    assert [result.outcome for result in job.results] in ([], ["failed"])


async def test_a_run_is_not_done_twice_whoever_asks(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    job = plane.enqueue(wire.ServerRestart(), counter)
    await job.success()
    plane.offer_again(job)
    await job.success()
    assert job.results[1].claim_token == job.tokens[1]

    await host.terminate()
    await host.start()
    plane.offer_again(job)
    await job.success()
    assert host.count("arena", "starts") == 1
    assert host.count("arena", "stops") == 0


async def test_a_run_under_way_is_not_begun_again(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.change_server(counter, vars={"delay": "20"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: host.count("arena", "starts") == 1)
    plane.offer_again(job)
    await host.until(lambda: len(job.tokens) > 1)
    await job.success()
    assert host.count("arena", "starts") == 1


async def test_a_job_of_a_newer_bot_fails_and_keeps_nothing_back(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    class SaveRestore(wire.Params):
        type: str = "SAVE_RESTORE"

    strange = plane.enqueue(SaveRestore(), counter)
    known = plane.enqueue(wire.ServerStart(), counter)
    await known.success()
    result = await strange.result()
    assert result.outcome == "failed"
    assert "does not know this kind of job" in result.error


@pytest.mark.parametrize(
    "change",
    [
        {"runId": "x", "claimToken": None},
        {"timeoutSec": 10**400},
        {"timeoutSec": -1},
        {"leaseExpiresAt": "2027-01-01T00:00:00"},
        {"params": {"type": "CONSOLE_COMMAND", "command": "say a\nquit"}},
        {"params": {"type": "SERVER_START", "directory": "/etc"}},
    ],
)
async def test_a_malformed_job_keeps_nothing_back(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, change: dict[str, object]
) -> None:
    class Malformed(wire.Params):
        pass

    strange = plane.enqueue(Malformed(), counter)
    strange.change = {"params": {"type": "SERVER_START"}, **change}
    await plane.enqueue(wire.ServerStart(), counter).success()
    assert host.count("arena", "starts") == 1
    await host.until_log("a job is not understood")


async def test_a_bot_that_offers_too_much_is_taken_at_its_word_bit_by_bit(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.generous = True
    jobs = [plane.enqueue(wire.ServerStart(), counter) for _ in range(SLOTS + 5)]
    results = [await job.result() for job in jobs]
    assert [one.outcome for one in results].count("success") == 1
    assert host.count("arena", "starts") == 1


async def test_a_kill_gets_through_to_a_full_host(host: HostMachine, plane: ControlPlane) -> None:
    """Everything hangs; what is no kill waits until the killed start ends."""
    await host.start()
    for name in [*(f"slow-{n}" for n in range(SLOTS)), "quick"]:
        host.install(name)
    slow = [plane.add_server(f"slow-{n}", "counter", vars={"delay": "300"}) for n in range(SLOTS)]
    quick = plane.add_server("quick", "counter")
    for created in [plane.enqueue(wire.ServerCreate(), one) for one in [*slow, quick]]:
        await created.success()
    starts = [plane.enqueue(wire.ServerStart(), one, timeout=400) for one in slow]
    await eventually(lambda: all(job.status == "running" for job in starts), 30.0)
    waiting = plane.enqueue(wire.ServerStart(), quick)
    await asyncio.sleep(1.0)
    assert waiting.status == "queued"
    await plane.enqueue(wire.ServerKill(), slow[0]).success()
    assert (await starts[0].result()).outcome == "failed"
    await waiting.success()
    assert [job.status for job in starts[1:]] == ["running"] * (SLOTS - 1)
    for one in slow[1:]:
        await plane.enqueue(wire.ServerKill(), one).success()


async def test_runs_that_hold_threads_for_minutes_hold_up_no_kill(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    """As backups and deployments do; a small host has few threads by itself."""
    await plane.enqueue(wire.ServerStart(), counter).success()
    goes_on = threading.Event()
    held = [asyncio.create_task(asyncio.to_thread(goes_on.wait, 60)) for _ in range(SLOTS + KILLS)]
    try:
        await plane.enqueue(wire.ServerKill(), counter).success()
    finally:
        goes_on.set()
        await asyncio.gather(*held)


async def test_a_server_of_nobody(host: HostMachine, plane: ControlPlane) -> None:
    await host.start()
    stranger = plane.add_server("stranger", "counter")
    plane.remove_server(stranger)
    result = await plane.enqueue(wire.ServerStart(), stranger).result()
    assert (result.outcome, result.error) == ("failed", "This host has no such server.")


async def test_sigterm_waits_for_what_runs(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    plane.change_server(counter, vars={"delay": "20"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: host.count("arena", "starts") == 1)
    await host.terminate()
    await job.success(timeout=0.1)
    pid = host.game_pid(counter.id)
    await host.start()
    await plane.until(lambda report: report.state == "running")
    assert host.game_pid(counter.id) == pid


@pytest.mark.usefixtures("own_process")
async def test_a_second_signal_ends_the_patience(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    plane.change_server(counter, vars={"delay": "300"})
    job = plane.enqueue(wire.ServerStart(), counter)
    await host.until(lambda: host.count("arena", "starts") == 1)
    host.ask_to_end()
    await host.until_log("waiting for 1 run(s)")
    await host.terminate(timeout=5)
    result = await job.result(timeout=0.1)
    assert result.outcome == "unknown"
    assert "stopped while this ran" in result.error
