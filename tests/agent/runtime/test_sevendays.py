"""The real template of 7 Days to Die on the imitated server: durable identities, saves, a console that can hang."""

import asyncio
import time
from pathlib import Path

import pytest

from agent.errors import TaskFailed
from agent.runtime.server import GameServer
from agent.wire import Caution, Step
from bot.demo.sevendays import settings as sevendays_settings
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from tests.agent.runtime.conftest import Card, Host, free_port, inside, until_state

STEAM = "76561198000000001"


@pytest.fixture
async def server(host: Host) -> GameServer:
    """Created in a directory where the game is installed already; not started."""
    install(host.place / "servers/one")
    server = await host.server(host.spec("7dtd", vars={"port": str(free_port()), "telnet_port": str(free_port())}))
    assert "taken over" in await server.create(Card())
    await control(host).slow_start(0.3)
    return server


def control(host: Host) -> AsyncControl:
    return AsyncControl(host.place / "servers/one")


async def test_start_save_and_stop(host: Host, server: GameServer) -> None:
    assert (await server.start(Card())).startswith("Ready after")
    report = await server.status()
    assert (report.state, report.reachable, report.players, report.map) == ("running", True, [], "Navezgane")
    assert [port.name for port in report.ports] == ["game"]
    card = Card()
    assert await server.stop(card) == "Stopped: saved, ended by `shutdown`."
    assert card.steps == [Step.SAVING, Step.STOPPING]
    config = (host.place / "servers/one/serverconfig.xml").read_text()
    password = inside(server).settings.last(inside(server).template(), inside(server).home()).secrets[0]
    assert password in config
    assert password not in (await server.status()).model_dump_json()


async def test_a_blood_moon_is_reported_and_holds_up_no_heartbeat(host: Host, server: GameServer) -> None:
    sevendays_settings.write(host.place / "servers/one", first_day=6.95)  # day 7, 22:48
    await server.start(Card())
    assert (await server.status()).caution is None  # it is only being asked
    async with asyncio.timeout(10):
        while (known := (await server.status()).caution) is None:
            await asyncio.sleep(0.05)
    assert known == Caution(name="blood moon", now=True)
    await server.stop(Card())
    assert (await server.status()).caution is None


async def test_a_player_is_found_by_a_durable_id_whatever_the_name(host: Host, server: GameServer) -> None:
    await server.start(Card())
    game = control(host)
    await game.join("Bob", STEAM, ip="192.0.2.1")
    await game.join("Bob, pltfmid=Steam_76561198000000009", "76561198000000002", ip="192.0.2.2")
    report = await server.status()
    assert report.players is not None
    assert {one.identities["steam"] for one in report.players} == {STEAM, "76561198000000002"}
    with pytest.raises(TaskFailed, match="another eos id; nobody was kicked"):
        await server.kick({"steam": STEAM, "eos": "0" * 32}, "Bob", "mistaken", Card())
    with pytest.raises(TaskFailed, match=r"is not on the server \(somebody else of that name is\)"):
        await server.kick({"steam": "76561198000000003"}, "Bob", "mistaken", Card())
    assert await server.kick({"steam": STEAM}, "an older name", 'he said "no"', Card()) == "Kicked Bob."
    assert list(await game.players()) == ["Bob, pltfmid=Steam_76561198000000009"]


async def test_a_crash_with_a_code_is_followed_by_another_start(host: Host, server: GameServer) -> None:
    await server.start(Card())
    await control(host).crash(139)
    report = await until_state(server, "crashed")
    assert "exited with code 139" in report.note
    assert (await until_state(server, "running")).crashes == 1


async def test_a_hanging_game_neither_holds_up_a_heartbeat_nor_a_kill(host: Host, server: GameServer) -> None:
    await server.start(Card())
    await control(host).hang(60)
    began = time.monotonic()
    report = await server.status()
    assert time.monotonic() - began < 3
    assert (report.reachable, report.players) == (False, None)
    stopping = asyncio.create_task(server.stop(Card()))
    while server.state != "stopping":
        await asyncio.sleep(0.01)
    assert await server.kill() == "Killed."
    await asyncio.wait_for(stopping, 5)
    assert (await server.status()).state == "stopped"


async def test_an_agent_that_starts_anew_while_the_game_starts(host: Host, server: GameServer) -> None:
    await control(host).slow_start(2)
    starting = asyncio.create_task(server.start(Card()))
    while not inside(server).process.alive:
        await asyncio.sleep(0.02)
    game = inside(server).process.game
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    await host.leave()
    server = await host.server(server.spec)
    assert (await server.status()).state == "starting"
    await until_state(server, "running")
    assert inside(server).process.game == game


async def test_a_file_behind_a_link_is_not_written(host: Host, server: GameServer) -> None:
    config = host.place / "servers/one/serverconfig.xml"
    target = Path(config.rename(host.place / "elsewhere.xml"))
    config.symlink_to(target)
    before = target.read_text()
    with pytest.raises(TaskFailed, match="through a symbolic link"):
        await server.start(Card())
    assert target.read_text() == before
