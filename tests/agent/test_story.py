"""A host from pairing to a restarted game, with a real agent process and a real game."""

import pytest

from agent import wire
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine


@pytest.mark.usefixtures("own_process")
async def test_start_restart_and_stop_a_game(host: HostMachine, plane: ControlPlane, counter: wire.ServerSpec) -> None:
    start = plane.enqueue(wire.ServerStart(), counter)
    await start.success()
    assert start.phases == ["started", "starting", "waiting_ready"]
    assert host.count("arena", "starts") == 1

    restart = plane.enqueue(wire.ServerRestart(), counter)
    await restart.success()
    assert restart.phases[0] == "started"
    assert (host.count("arena", "starts"), host.count("arena", "stops")) == (2, 1)

    await plane.until(lambda report: report.state == "running")
    await plane.enqueue(wire.ServerStop(), counter).success()
    await plane.until(lambda report: report.state == "stopped")
    assert (host.count("arena", "starts"), host.count("arena", "stops")) == (2, 2)
    await host.terminate()
