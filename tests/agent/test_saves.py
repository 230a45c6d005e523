"""Backups as jobs: what the bot is told, what a kill -9 of the agent changes, which is nothing, and cancelling."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from agent import wire
from bot.demo.sevendays.install import install
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine, free_port


@pytest.fixture
async def sevendays(host: HostMachine, plane: ControlPlane) -> wire.ServerSpec:
    """A server that has never run, with a saved world."""
    install(host.servers / "one")
    host.configure(templates='["7dtd"]')
    spec = plane.add_server("one", "7dtd", vars={"port": str(free_port()), "telnet_port": str(free_port())})
    await host.start()
    await plane.enqueue(wire.ServerCreate(), spec).success()
    world = saves(host) / "Navezgane/My Game"
    world.mkdir(parents=True)
    (world / "main.ttw").write_bytes(b"the world" * 1000)
    return spec


def saves(host: HostMachine) -> Path:
    return host.servers / "one/UserData/Saves"


def huge(host: HostMachine) -> Path:
    """A file that takes a while to be packed, and no room."""
    file = saves(host) / "huge"
    with file.open("wb") as opened:
        opened.truncate(2 << 30)
    return file


def kept(host: HostMachine) -> list[str]:
    return sorted(one.name for one in (host.state / "backups").glob("*/*"))


async def test_the_bot_is_told_what_was_packed(
    host: HostMachine, plane: ControlPlane, sevendays: wire.ServerSpec
) -> None:
    params = wire.SaveBackup(backup_id=uuid4(), drop=[uuid4()])
    job = plane.enqueue(params, sevendays)
    result = await job.success()
    told = wire.SaveBackupResult.model_validate(result.result)
    assert (told.files, told.changed, told.dropped) == (1, 0, params.drop)
    assert result.output.startswith("Packed 1 file, and read them back: 0.0 MiB")
    assert [phase for phase in job.phases if phase != "started"] == ["saving", "packing", "verifying"]
    assert kept(host) == [f"{params.backup_id}.tar.gz"]
    nameless = await plane.enqueue(wire.SaveBackup(), sevendays).result()
    assert (nameless.outcome, nameless.error) == ("failed", "The backup has no name.")


@pytest.mark.usefixtures("own_process")
async def test_killed_while_it_packs_it_is_made_anew(
    host: HostMachine, plane: ControlPlane, sevendays: wire.ServerSpec
) -> None:
    file = huge(host)
    params = wire.SaveBackup(backup_id=uuid4())
    job = plane.enqueue(params, sevendays)
    await host.until(lambda: kept(host) == [f"{params.backup_id}.tar.gz.part"])
    await host.kill()
    assert kept(host) == [f"{params.backup_id}.tar.gz.part"]
    file.unlink()
    await host.start()
    result = await job.success()
    assert result.result["files"] == 1 and len(job.results) == 1
    assert kept(host) == [f"{params.backup_id}.tar.gz"]


async def test_a_cancel_ends_it_and_nothing_is_left(
    host: HostMachine, plane: ControlPlane, sevendays: wire.ServerSpec
) -> None:
    file = huge(host)
    job = plane.enqueue(wire.SaveBackup(backup_id=uuid4()), sevendays)
    await host.until(lambda: bool(kept(host)))
    job.cancel = True
    async with asyncio.timeout(15):
        result = await job.result()
    assert result.outcome == "cancelled" and "at the step `packing`" in result.error
    assert kept(host) == []
    file.unlink()
    await plane.enqueue(wire.SaveBackup(backup_id=uuid4()), sevendays).success()
