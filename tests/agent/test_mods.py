"""Deployments as jobs: what the bot is told, and what a kill -9 of the agent changes, which is nothing."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp import web

from agent import wire
from agent.runtime.keeper import identify
from agent.runtime.signals import is_alive
from tests.agent.control_plane import ControlPlane, Job
from tests.agent.faults import Fault, cut, status
from tests.agent.harness import HostMachine, free_port
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

STOCK = Path("/usr/share/games/teeworlds/data/maps")
HARBOUR = "maps/Harbour.map crc is 20b97905"


def stock(name: str) -> bytes:
    return (STOCK / f"{name}.map").read_bytes()


def deployment(plane: ControlPlane, content: bytes, version: str = "1") -> wire.ModInstall:
    """A map on the bot's shelf."""
    artifact = uuid4()
    plane.artifacts[artifact] = content
    return wire.ModInstall(
        deployment_id=uuid4(),
        artifact_id=artifact,
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        name="Harbour",
        version=version,
    )


@pytest.fixture
async def teeworlds(host: HostMachine, plane: ControlPlane) -> wire.ServerSpec:
    """A server that runs."""
    spec = plane.add_server("one", "teeworlds", vars={"port": str(free_port()), "econ_port": str(free_port())})
    await host.start()
    await plane.enqueue(wire.ServerCreate(), spec).success()
    await plane.enqueue(wire.ServerStart(), spec).success()
    return spec


def target(host: HostMachine) -> Path:
    return host.servers / "one/userdata/teeworlds/maps/Harbour.map"


def game_log(host: HostMachine, spec: wire.ServerSpec) -> str:
    return (host.state / "instances" / str(spec.id) / "keeper/log").read_text(errors="replace")


def assert_tidy(host: HostMachine, spec: wire.ServerSpec) -> None:
    directory = host.state / "instances" / str(spec.id)
    assert not [*directory.glob("swap.json"), *directory.glob("download*")]
    assert not (host.servers / "one/.gamekeeper").exists()


async def test_the_bot_is_told_how_it_went_and_what_is_there(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    params = deployment(plane, stock("ctf5"))
    plane.faults["artifacts"].append(cut())
    result = await plane.enqueue(params, teeworlds).success()
    told = wire.ModInstallResult.model_validate(result.result)
    assert told.state == "installed"
    assert HARBOUR in told.verified[0]
    assert HARBOUR in result.output
    await host.until(lambda: any(mod.sha256 == params.sha256 for mod in plane.mods[teeworlds.id].mods))
    (found,) = plane.mods[teeworlds.id].mods
    assert (found.folder, found.name, found.version, found.state) == ("Harbour.map", "Harbour", "1", "active")
    report = await plane.until(lambda one: one.map == "Harbour")
    assert report.mods_revision == plane.mods[teeworlds.id].revision
    broken = await plane.enqueue(deployment(plane, b"none" * 999, "2"), teeworlds).result()
    assert broken.outcome == "failed"
    assert "failed to load map" in broken.error
    assert wire.ModInstallResult.model_validate(broken.result).state == "rolled_back"


async def test_a_file_that_the_bot_does_not_give_changes_nothing(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    params = deployment(plane, stock("ctf5"))
    for content, words in ((None, "No such file"), (stock("dm2"), "SHA-256 differs"), (bytes(99999), "is longer than")):
        plane.artifacts.clear()
        if content is not None:
            plane.artifacts[params.artifact_id] = content
        result = await plane.enqueue(params, teeworlds).result()
        assert result.outcome == "failed"
        assert words in result.error
        assert "Nothing was changed." in result.error
    assert not target(host).exists()


def stuck_at(step: wire.Step) -> Fault:
    """The bot knows of the step, and the agent does not learn that it knows."""

    async def fault(request: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        answer = await handle()
        if (await request.json())["phase"] == step.value:
            await asyncio.sleep(4)
        return answer

    return fault


async def until_stuck(plane: ControlPlane, job: Job, step: wire.Step) -> None:
    plane.always["progress"] = stuck_at(step)
    async with asyncio.timeout(20):
        while step.value not in job.phases:
            await asyncio.sleep(0.005)


async def killed_at(host: HostMachine, plane: ControlPlane, job: Job, step: wire.Step) -> None:
    """kill -9 while it tells the bot of this step, so before anything else is done."""
    await until_stuck(plane, job, step)
    await host.kill()
    del plane.always["progress"]


@pytest.mark.usefixtures("own_process")
@pytest.mark.parametrize("step", [wire.Step.STARTED, wire.Step.UNPACKING, wire.Step.VERIFYING])
async def test_killed_at_any_step_it_is_gone_on_with(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec, step: wire.Step
) -> None:
    game = host.game_pid(teeworlds.id)
    job = plane.enqueue(deployment(plane, stock("ctf5")), teeworlds)
    await killed_at(host, plane, job, step)
    await host.start()
    result = await job.success()
    assert wire.ModInstallResult.model_validate(result.result).state == "installed"
    assert len(job.results) == 1
    assert target(host).read_bytes() == stock("ctf5")
    assert game_log(host, teeworlds).count(HARBOUR) == 1
    assert host.game_pid(teeworlds.id) == game
    assert_tidy(host, teeworlds)


@pytest.mark.usefixtures("own_process")
async def test_killed_together_with_the_game(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    """The new version ends the game, and nobody is there to see it. Its next agent must not take it for stopped."""
    await plane.enqueue(deployment(plane, stock("dm2")), teeworlds).success()
    game = identify(host.game_pid(teeworlds.id))
    assert game is not None
    job = plane.enqueue(deployment(plane, stock("ctf5")[:3000], "2"), teeworlds)
    await until_stuck(plane, job, wire.Step.VERIFYING)
    del plane.always["progress"]
    while is_alive(game):
        await asyncio.sleep(0.005)
    await host.kill()
    await host.start()
    result = await job.result()
    assert wire.ModInstallResult.model_validate(result.result).state == "rolled_back", result
    assert target(host).read_bytes() == stock("dm2")
    await plane.until(lambda one: one.state == "running")
    assert_tidy(host, teeworlds)


@pytest.mark.usefixtures("own_process")
async def test_killed_while_it_is_taken_back(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    await plane.enqueue(deployment(plane, stock("ctf5")), teeworlds).success()
    job = plane.enqueue(deployment(plane, b"none" * 999, "2"), teeworlds)
    await killed_at(host, plane, job, wire.Step.ROLLING_BACK)
    await host.start()
    result = await job.result()
    assert wire.ModInstallResult.model_validate(result.result).state == "rolled_back"
    assert target(host).read_bytes() == stock("ctf5")
    assert_tidy(host, teeworlds)


@pytest.mark.usefixtures("own_process")
async def test_what_the_bot_has_given_up_is_undone_and_not_done_again(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    job = plane.enqueue(deployment(plane, stock("ctf5")), teeworlds)
    await killed_at(host, plane, job, wire.Step.VERIFYING)
    plane.always["progress"] = status(409)
    await host.start()
    result = await job.result()
    assert result.outcome == "unknown"
    assert not target(host).exists()
    assert_tidy(host, teeworlds)


@pytest.mark.usefixtures("own_process")
async def test_what_kills_every_agent_is_given_up(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    job = plane.enqueue(deployment(plane, stock("ctf5")), teeworlds)
    await killed_at(host, plane, job, wire.Step.VERIFYING)
    marker = host.state / "runs" / f"{job.run_id}.started"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "resumed": 2}))
    await host.start()
    assert (await job.result()).outcome == "unknown"
    assert not target(host).exists()
    assert_tidy(host, teeworlds)


async def test_an_agent_that_is_stopped_leaves_it_to_the_next_one(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    job = plane.enqueue(deployment(plane, stock("ctf5")), teeworlds)
    await until_stuck(plane, job, wire.Step.VERIFYING)
    host.ask_to_end()
    await host.until_log("waiting for 1 run(s)")
    await host.terminate()
    assert not job.results
    assert not target(host).exists()
    assert_tidy(host, teeworlds)
    del plane.always["progress"]
    await host.start()
    await job.success()
    assert target(host).read_bytes() == stock("ctf5")


async def test_whoever_cancels_too_late_gets_all_of_it(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    plane.lease = timedelta(seconds=1)
    job = plane.enqueue(deployment(plane, stock("ctf5")), teeworlds)
    await until_stuck(plane, job, wire.Step.VERIFYING)
    job.cancel = True
    await asyncio.sleep(0.5)
    assert (await job.result()).outcome == "success"
    assert target(host).read_bytes() == stock("ctf5")


async def test_two_deployments_at_once_take_turns_or_say_so(
    host: HostMachine, plane: ControlPlane, teeworlds: wire.ServerSpec
) -> None:
    """The bot lets only one through; a host does not rely on it."""
    jobs = [plane.enqueue(deployment(plane, stock("ctf5"), version), teeworlds) for version in "12"]
    results = [await job.result() for job in jobs]
    assert all(result.outcome == "success" or "Something else is being done" in result.error for result in results)
    assert target(host).read_bytes() == stock("ctf5")
    assert_tidy(host, teeworlds)
