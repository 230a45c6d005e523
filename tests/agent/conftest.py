"""A control plane in memory and a host beside it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent import wire
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine


@pytest.fixture
async def plane() -> AsyncIterator[ControlPlane]:
    """The bot's side, listening."""
    plane = ControlPlane()
    await plane.start()
    yield plane
    await plane.stop()


@pytest.fixture
async def host(tmp_path: Path, plane: ControlPlane) -> AsyncIterator[HostMachine]:
    """A host that is configured and paired; its agent is not running yet."""
    host = HostMachine(tmp_path, plane.url)
    host.configure()
    host.give_identity(plane.host_id, plane.key)
    yield host
    await host.clean_up()


@pytest.fixture
def own_process(host: HostMachine) -> None:
    """For tests with `usefixtures`: the agent is started as a process of its own."""
    host.own_process = True


@pytest.fixture
async def counter(host: HostMachine, plane: ControlPlane) -> wire.ServerSpec:
    """A server with the counting game, created by the running agent."""
    host.install("arena")
    spec = plane.add_server("arena", "counter")
    await host.start()
    created = await plane.enqueue(wire.ServerCreate(), spec).result()
    assert created.outcome == "success", created
    return spec
