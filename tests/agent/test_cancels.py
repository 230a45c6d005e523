"""What is cancelled stops where nothing is left half done, soon; what had begun too far is brought to its end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from agent import wire
from tests.agent.control_plane import ControlPlane, Job
from tests.agent.faults import status
from tests.agent.harness import HostMachine

SOON = 3.0
"""Seconds within which somebody who cancels sees that it was."""


async def reaches(host: HostMachine, job: Job, step: wire.Step) -> None:
    await host.until(lambda: step.value in job.phases, what=f"{step}")


@pytest.mark.parametrize("params", [wire.ServerStop(), wire.ServerRestart()])
async def test_a_game_that_was_told_to_end_ends_and_a_restart_brings_it_back(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec, params: wire.Params
) -> None:
    plane.change_server(counter, vars={"linger": "10"}, restart_policy="never")
    await plane.enqueue(wire.ServerStart(), counter).success()
    job = plane.enqueue(params, counter)
    await reaches(host, job, wire.Step.STOPPING)
    job.cancel = True
    result = await job.result()
    assert host.count("arena", "stops") == 1
    again = isinstance(params, wire.ServerRestart)
    if again:  # nothing brings it back but this: the wait for it is all that may be left out
        assert result.outcome == "cancelled" and "runs again" in result.error
    else:
        assert (result.outcome, result.error) == ("success", "")
    await host.until(lambda: host.count("arena", "starts") == (2 if again else 1))
    await plane.until(lambda report: report.state in (("running", "starting") if again else ("stopped",)))


async def test_a_restart_that_only_waits_ends_at_once_and_the_game_runs(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    await plane.enqueue(wire.ServerStart(), counter).success()
    plane.change_server(counter, vars={"delay": "300"}, restart_policy="never")
    job = plane.enqueue(wire.ServerRestart(), counter)
    await reaches(host, job, wire.Step.WAITING_READY)
    job.cancel = True
    result = await job.result(SOON)
    words = "Cancelled at the step `waiting ready`. It was stopped and runs again; only the wait was broken off."
    assert (result.outcome, result.error) == ("cancelled", words)
    await plane.until(lambda report: report.state == "starting")


async def test_what_was_not_begun_leaves_the_game_alone(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    await plane.enqueue(wire.ServerStart(), counter).success()
    job = plane.enqueue(wire.ServerRestart(), counter)
    job.cancel = True
    result = await job.result(SOON)
    assert (result.outcome, result.error) == ("cancelled", "Cancelled before anything was done.")
    assert host.count("arena", "stops") == 0


async def test_one_of_two_runs_is_cancelled(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    second = plane.add_server("second", "counter", vars={"delay": "300"})
    await plane.enqueue(wire.ServerCreate(), second).success()
    host.install("second")
    plane.change_server(counter, vars={"delay": "20"})
    stays, goes = plane.enqueue(wire.ServerStart(), counter), plane.enqueue(wire.ServerStart(), second)
    await reaches(host, goes, wire.Step.WAITING_READY)
    goes.cancel = True
    assert (await goes.result(SOON)).outcome == "cancelled"
    await stays.success()
    assert plane.calls.count("cancels") < 10  # it waits, it does not ask again and again


def stuck_after(handled: asyncio.Event) -> Callable[..., Awaitable[web.StreamResponse]]:
    """It is done, and whoever asked dies before the answer."""

    async def fault(_: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        await handle()
        handled.set()
        await asyncio.sleep(60)
        raise AssertionError("nobody waits for this")

    return fault


@pytest.mark.usefixtures("own_process")
async def test_an_agent_killed_between_its_word_and_its_deed_does_it_once(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    said = asyncio.Event()
    plane.faults["progress"].append(stuck_after(said))
    job = plane.enqueue(wire.ServerStart(), counter)
    await asyncio.wait_for(said.wait(), 10)
    assert job.status == "running"
    await host.kill()
    assert host.count("arena", "starts") == 0
    await host.start()
    await job.success()
    assert host.count("arena", "starts") == 1
    assert len(job.results) == 1


@pytest.mark.usefixtures("own_process")
async def test_an_agent_killed_before_its_word_says_that_nothing_was_done_where_it_is_not_wanted_any_more(
    host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec
) -> None:
    said = asyncio.Event()
    plane.faults["progress"].append(stuck_after(said))
    job = plane.enqueue(wire.ServerStart(), counter)
    await asyncio.wait_for(said.wait(), 10)
    await host.kill()
    plane.always["progress"] = status(409)
    await host.start()
    result = await job.result()
    assert (result.outcome, result.error) == ("failed", "The agent ended before it began this; nothing was done.")
    assert host.count("arena", "starts") == 0
