"""The whole life of a server, with a real Teeworlds."""

import asyncio
import signal
import socket
import stat
import struct
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from agent.errors import TaskFailed
from agent.runtime.server import GameServer
from agent.runtime.signals import send
from agent.wire import Step
from bot.demo.teeworlds_player import TeeworldsBot
from tests.agent.runtime.conftest import Card, Host, free_port, identity_of, inside, until_state
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)


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


@asynccontextmanager
async def online(server: GameServer, *people: tuple[str, str]) -> AsyncIterator[list[TeeworldsBot]]:
    """Players by name and address."""
    port = int(server.spec.vars["port"])
    bots = [await TeeworldsBot.join("127.0.0.1", port, name, source) for name, source in people]
    try:
        yield bots
    finally:
        for bot in bots:
            await bot.leave()


async def test_players_are_seen_and_one_is_kicked(server: GameServer) -> None:
    await server.start(Card())
    async with online(server, ("alice", "127.0.0.2"), ("eve' score=9", "127.0.0.3")) as (alice, eve):
        report = await server.status()
        assert report.players is not None
        assert {(one.name, one.identities["ip"]) for one in report.players} == {
            ("alice", "127.0.0.2"),
            ("eve' score=9", "127.0.0.3"),
        }
        card = Card()
        told = await server.kick({"ip": "127.0.0.3"}, "eve' score=9", 'x"; shutdown', card)
        assert told == "Kicked eve' score=9."
        assert card.steps == [Step.SENDING, Step.VERIFYING]
        assert "shutdown" in await eve.disconnected()
        assert alice.online
        with pytest.raises(TaskFailed, match=r"eve' score=9` is not on the server"):
            await server.kick({"ip": "127.0.0.3"}, "eve' score=9", "again", Card())
        with pytest.raises(TaskFailed, match=r"not on the server \(somebody else of that name is\)"):
            await server.kick({"ip": "127.0.0.9"}, "alice", "by a name that she shares", Card())
        with pytest.raises(TaskFailed, match="known by name only"):
            await server.kick({}, "alice", "x", Card())
        assert alice.online


async def test_a_crash_is_followed_by_another_start(host: Host, server: GameServer) -> None:
    await server.start(Card())
    send(identity_of(keeper_of(host, server), "game"), signal.SIGKILL)
    await until_state(server, "crashed")
    report = await until_state(server, "running")
    assert report.crashes == 1
    assert (await server.announce("back again")).outcome == "answered"


async def test_who_types_shutdown_is_not_fought(server: GameServer) -> None:
    await server.start(Card())
    await server.command("shutdown")
    report = await until_state(server, "stopped")
    assert "stopped in the game or on its console" in report.note
    await asyncio.sleep(0.5)
    assert not inside(server).process.alive
    assert (await server.command("status")).reason == "`one` does not run."


async def test_an_agent_that_starts_anew_talks_to_the_game_again(host: Host, server: GameServer) -> None:
    await server.start(Card())
    game = inside(server).process.game
    await host.leave()
    server = await host.server(server.spec)
    report = await server.status()
    assert (report.state, report.reachable, inside(server).process.game) == ("running", True, game)
    assert (await server.restart(Card())).startswith("Ready after")


async def test_a_game_that_stands_still_does_not_hold_up_a_heartbeat(host: Host, server: GameServer) -> None:
    await server.start(Card())
    await server.status()
    send(identity_of(keeper_of(host, server), "game"), signal.SIGSTOP)
    began = time.monotonic()
    report = await server.status()
    assert time.monotonic() - began < 3
    assert (report.state, report.reachable, report.players) == ("running", False, None)
    assert await server.kill() == "Killed."


async def test_the_port_of_the_console_is_taken(server: GameServer) -> None:
    taken = pytest.raises(TaskFailed, match="where its console belongs, is in use by another program")
    with socket.create_server(("127.0.0.1", int(server.spec.vars["econ_port"]))), taken:
        await server.start(Card())
    assert (await server.start(Card())).startswith("Ready after")


async def test_what_lingers_on_the_port_of_the_console_is_waited_for(server: GameServer) -> None:
    with lingering(int(server.spec.vars["econ_port"])) as held:
        starting = asyncio.create_task(server.start(Card()))
        await asyncio.sleep(0.3)
        assert not inside(server).process.alive
        held.close()
        assert (await starting).startswith("Ready after")


@contextmanager
def lingering(port: int) -> Iterator[socket.socket]:
    """A connection on the port that nobody listens for any more; freed when the yielded end is closed."""
    with socket.create_server(("127.0.0.1", port), reuse_port=False) as listener:
        caller = socket.create_connection(("127.0.0.1", port))
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        taken, _ = listener.accept()
    with taken:
        taken.shutdown(socket.SHUT_WR)
        yield caller


async def test_removed_files_are_put_aside(host: Host, server: GameServer) -> None:
    await server.start(Card())
    card = Card()
    told = await server.remove(card)
    assert card.steps == [Step.STOPPING, Step.REMOVING]
    (aside,) = (host.place / "servers").iterdir()
    assert aside.name.startswith("one.removed-")
    assert aside.name in told
    assert not (host.config.state_dir / "instances" / str(server.spec.id)).exists()
    await server.create(Card())
    assert (await server.start(Card())).startswith("Ready after")


async def test_an_adopted_server_keeps_its_password_and_its_directory(host: Host) -> None:
    old = host.place / "old"
    old.mkdir()
    wish = ports()
    (old / "server.cfg").write_text(f'# mine\nsv_motd "hi"\nec_password "by-hand"\nec_port {wish["econ_port"]}\n')
    host.config = host.config.model_copy(update={"adopt": {"veteran": old}})
    server = await host.server(host.spec("teeworlds", slug="veteran", vars={"port": wish["port"]}))
    assert "taken over" in await server.create(Card())
    text = (old / "server.cfg").read_text()
    assert 'sv_motd "hi"' in text
    assert 'ec_password "by-hand"' in text
    await server.start(Card())
    assert (await server.status()).reachable
    assert "by-hand" not in "\n".join((await server.command("ec_password")).lines)
    assert "stays as it is" in await server.remove(Card())
    assert (old / "server.cfg").exists()
