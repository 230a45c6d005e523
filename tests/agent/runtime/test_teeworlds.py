"""The whole life of a server, with a real Teeworlds."""

import stat
from pathlib import Path

import pytest

from agent.errors import TaskFailed
from agent.runtime.server import GameServer
from agent.wire import Step
from tests.agent.runtime.conftest import Card, Host, free_port, identity_of

PROGRAM = Path("/usr/games/teeworlds-server")

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="needs the Debian package teeworlds-server")


def ports() -> dict[str, str]:
    return {"port": str(free_port()), "econ_port": str(free_port())}


@pytest.fixture
async def server(host: Host) -> GameServer:
    """Created and not started."""
    server = await host.server(host.spec("teeworlds", vars=ports()))
    await server.create(Card())
    return server


def keeper_of(host: Host, server: GameServer) -> Path:
    return host.config.state_dir / "instances" / str(server.spec.id) / "keeper"


async def test_create_start_restart_stop(host: Host, server: GameServer) -> None:
    assert (await server.status()).state == "stopped"
    config = host.place / "servers/one/server.cfg"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    card = Card()
    assert (await server.start(card)).startswith("Ready after")
    assert card.steps == [Step.STARTING, Step.WAITING_READY]
    report = await server.status()
    assert (report.state, report.reachable, report.players, report.map) == ("running", True, [], "dm1")
    assert [port.name for port in report.ports] == ["game"]
    assert report.latency_ms is not None
    first = identity_of(keeper_of(host, server), "game")
    with pytest.raises(TaskFailed, match="runs already"):
        await server.start(Card())
    card = Card()
    assert (await server.restart(card)).startswith("Ready after")
    assert card.steps == [Step.STOPPING, Step.STARTING, Step.WAITING_READY]
    assert identity_of(keeper_of(host, server), "game") != first
    assert (await server.announce("hello")).outcome == "answered"
    assert await server.stop(Card()) == "Stopped: ended by `shutdown`."
    assert (await server.status()).state == "stopped"
    assert await server.stop(Card()) == "It was not running."
