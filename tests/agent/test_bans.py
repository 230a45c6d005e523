"""BAN_SYNC through the whole agent: receipts in the result, and no harm when an agent dies in the middle of it."""

import asyncio
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from agent import wire
from tests.agent.control_plane import ControlPlane, Job
from tests.agent.harness import HostMachine, free_port
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)


@pytest.fixture
async def arena(host: HostMachine, plane: ControlPlane) -> wire.ServerSpec:
    """A Teeworlds server that is up."""
    ports = {"port": str(free_port()), "econ_port": str(free_port())}
    spec = plane.add_server("arena", "teeworlds", vars=ports)
    await host.start()
    await plane.enqueue(wire.ServerCreate(), spec).success()
    await plane.enqueue(wire.ServerStart(), spec).success()
    return spec


def items(count: int, want: str = "banned") -> list[wire.BanItem]:
    return [
        wire.BanItem.model_validate(
            {
                "entry_id": UUID(int=number),
                "revision": number,
                "want": want,
                "identities": [{"kind": "ip", "value": f"10.0.0.{number}"}],
                "name": "eve",
                "reason": f"B-{number}: griefing",
            }
        )
        for number in range(1, count + 1)
    ]


def outcomes(result: wire.Result) -> Counter[str]:
    """By the receipts; each is of the revision that was asked for."""
    receipts = wire.BanSyncResult.model_validate(result.result).receipts
    assert all(one.entry_id.int == one.revision for one in receipts)
    return Counter(str(one.outcome) for one in receipts)


async def listed(plane: ControlPlane, spec: wire.ServerSpec) -> list[str]:
    """The addresses that the game keeps out."""
    result = await plane.enqueue(wire.ConsoleCommand(command="bans"), spec).success()
    return [line.split("'")[1] for line in result.output.splitlines()[:-1]]


def told(host: HostMachine, spec: wire.ServerSpec) -> Counter[str]:
    """How often the game was told to ban each address."""
    log = Path(host.state / "instances" / str(spec.id) / "keeper" / "log").read_text(errors="replace")
    return Counter(line.split("cmd='ban ")[1].split()[0] for line in log.splitlines() if "cmd='ban 10." in line)


async def test_the_result_holds_a_receipt_for_each_item(plane: ControlPlane, arena: wire.ServerSpec) -> None:
    job = plane.enqueue(wire.BanSync(items=items(3)), arena)
    result = await job.success()
    assert job.phases == ["started", "applying", "verifying"]
    assert (outcomes(result), result.output) == (Counter(applied=3), "3 applied")
    assert sorted(await listed(plane, arena)) == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    await plane.enqueue(wire.BanSync(items=items(3, "unbanned")), arena).success()
    assert await listed(plane, arena) == []


async def test_what_is_down_is_no_failure(plane: ControlPlane, arena: wire.ServerSpec) -> None:
    await plane.enqueue(wire.ServerStop(), arena).success()
    assert outcomes(await plane.enqueue(wire.BanSync(items=items(2)), arena).success()) == Counter(waiting=2)


async def test_what_does_not_fit_into_its_time_is_left_for_the_next_job(
    plane: ControlPlane, arena: wire.ServerSpec
) -> None:
    first = outcomes(await plane.enqueue(wire.BanSync(items=items(60)), arena, timeout=3).success())
    assert set(first) == {"applied", "waiting"}
    assert len(await listed(plane, arena)) == first["applied"]
    assert outcomes(await plane.enqueue(wire.BanSync(items=items(60)), arena).success()) == Counter(applied=60)


async def test_others_use_the_console_meanwhile(plane: ControlPlane, arena: wire.ServerSpec) -> None:
    bans = plane.enqueue(wire.BanSync(items=items(30)), arena)
    while not bans.phases:
        await asyncio.sleep(0.01)
    said = [plane.enqueue(wire.Announce(text=f"hello {number}"), arena) for number in range(3)]
    assert [(await job.success()).outcome for job in said] == ["success"] * 3
    assert not bans.done.is_set()
    assert outcomes(await bans.success()) == Counter(applied=30)


async def test_a_cancelled_job_stops_between_two_items(plane: ControlPlane, arena: wire.ServerSpec) -> None:
    job = plane.enqueue(wire.BanSync(items=items(5)), arena)
    job.cancel = True
    assert (await job.result()).outcome == "cancelled"
    assert await listed(plane, arena) == []


@pytest.mark.usefixtures("own_process")
async def test_an_agent_that_dies_in_the_middle_does_no_harm(
    host: HostMachine, plane: ControlPlane, arena: wire.ServerSpec
) -> None:
    lost = plane.enqueue(wire.BanSync(items=items(40)), arena)
    await host.until(lambda: len(told(host, arena)) >= 12)
    await host.kill()
    before = told(host, arena)
    assert len(before) < 40
    await host.start()
    assert (await lost.result()).outcome == "unknown"  # the bot makes the difference anew and asks again
    again = wire.BanSync(items=items(40))
    assert outcomes(await plane.enqueue(again, arena).success()) == Counter(applied=40)
    assert len(await listed(plane, arena)) == 40
    assert told(host, arena) == Counter({f"10.0.0.{number}": 1 for number in range(1, 41)})


async def test_a_job_that_is_done_twice_changes_nothing(
    host: HostMachine, plane: ControlPlane, arena: wire.ServerSpec
) -> None:
    jobs: list[Job] = [plane.enqueue(wire.BanSync(items=items(20)), arena) for _ in range(2)]
    for job in jobs:  # at the same time: a lease that ran out, and the job made anew
        assert outcomes(await job.success()) == Counter(applied=20)
    assert len(await listed(plane, arena)) == 20
    assert max(told(host, arena).values()) <= 2
