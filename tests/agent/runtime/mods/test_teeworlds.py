"""Maps on a real Teeworlds: it says itself which one it plays."""

import asyncio
import hashlib
import os
import re
from pathlib import Path

import pytest

from agent.errors import Cancelled, TaskFailed
from agent.runtime.server import GameServer
from agent.wire import Step
from tests.agent.runtime.conftest import Card, Host, free_port, inside
from tests.agent.runtime.mods.conftest import Shelf, assert_tidy, deploy, zipped
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

STOCK = Path("/usr/share/games/teeworlds/data/maps")


def stock(name: str) -> bytes:
    """A map of the game's own."""
    return (STOCK / f"{name}.map").read_bytes()


@pytest.fixture
async def server(host: Host, shelf: Shelf) -> GameServer:
    """Created and started."""
    ports = {"port": str(free_port()), "econ_port": str(free_port())}
    server = await host.server(host.spec("teeworlds", vars=ports))
    await server.create(Card())
    await server.start(Card())
    return server


def maps(host: Host) -> Path:
    return host.place / "servers/one/userdata/teeworlds/maps"


def config(host: Host) -> str:
    return (host.place / "servers/one/server.cfg").read_text()


def crc(server: GameServer) -> str:
    """Of the map that was loaded last."""
    lines = [line for line in inside(server).process.tail(400) if " crc is " in line]
    return re.sub(r".*maps/(.*)\.map crc is .*", r"\1", lines[-1])


async def test_a_map_becomes_active_and_stays_so_over_a_restart(host: Host, server: GameServer, shelf: Shelf) -> None:
    game = inside(server).process.game
    card = Card()
    result = await server.install_mod(shelf.put(stock("ctf5"), "Harbour"), card)
    assert result.state == "installed", result
    assert [line for line in result.verified if "maps/Harbour.map crc is 20b97905" in line]
    assert not result.restarted
    assert card.steps == [Step.DOWNLOADING, Step.UNPACKING, Step.SWAPPING, Step.VERIFYING]
    assert inside(server).process.game == game
    assert (await server.status()).map == "Harbour"
    assert_tidy(server)
    await server.restart(Card())
    assert 'sv_map "Harbour"' in config(host)
    assert (crc(server), (await server.status()).map) == ("Harbour", "Harbour")


async def test_a_new_version_of_the_map_that_is_played(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(stock("ctf5"), "Harbour", "1"))
    result = await deploy(server, shelf.put(zipped({"maps/whatever.map": stock("dm2")}), "Harbour", "2"))
    assert [line for line in result.verified if "maps/Harbour.map crc is 054b1259" in line]
    assert (maps(host) / "Harbour.map").read_bytes() == stock("dm2")
    again = await deploy(server, shelf.put(stock("ctf5"), "Harbour", "1"))
    assert [line for line in again.verified if "maps/Harbour.map crc is 20b97905" in line]


async def test_a_map_that_is_none_is_refused_by_the_game_and_the_old_one_runs_on(
    host: Host, server: GameServer, shelf: Shelf
) -> None:
    game = inside(server).process.game
    await deploy(server, shelf.put(stock("ctf5"), "Harbour", "1"))
    result = await deploy(server, shelf.put(b"DATA is not what this is" * 300, "Harbour", "2"))
    assert result.state == "rolled_back"
    assert "failed to load map. mapname='Harbour'" in result.detail
    assert "The old version is back, and the game runs as before." in result.detail
    assert (maps(host) / "Harbour.map").read_bytes() == stock("ctf5")
    assert inside(server).process.game == game
    assert (crc(server), (await server.status()).map) == ("Harbour", "Harbour")
    first = await deploy(server, shelf.put(b"neither is this" * 300, "Bay"))
    assert first.state == "rolled_back"
    assert "It was removed again" in first.detail
    assert [path.name for path in maps(host).iterdir()] == ["Harbour.map"]
    await server.restart(Card())
    assert crc(server) == "Harbour"


async def test_a_map_that_kills_the_game_is_taken_back(host: Host, server: GameServer, shelf: Shelf) -> None:
    """Cut off in the middle, it is loaded, and only then the game falls over what is missing."""
    await deploy(server, shelf.put(stock("dm2"), "Harbour", "1"))
    before = inside(server).process.game
    result = await deploy(server, shelf.put(stock("ctf5")[:3000], "Harbour", "2"))
    assert result.state == "rolled_back"
    assert "ended by SIGSEGV" in result.detail
    assert "The old version is back, and the game runs as before." in result.detail
    assert (await server.status()).state == "running"
    assert inside(server).process.game != before
    assert crc(server) == "Harbour"
    assert (maps(host) / "Harbour.map").read_bytes() == stock("dm2")
    assert (await server.announce("still here")).outcome == "answered"


async def test_without_a_game_it_is_placed_and_loaded_at_the_next_start(
    host: Host, server: GameServer, shelf: Shelf
) -> None:
    await server.stop(Card())
    result = await deploy(server, shelf.put(stock("ctf5"), "Harbour"))
    assert (result.state, result.verified) == ("installed", [])
    assert "does not run" in result.detail
    await server.start(Card())
    assert crc(server) == "Harbour"


async def test_who_chooses_another_map_later_gets_that(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(stock("ctf5"), "Harbour"))
    server.update(server.spec.model_copy(update={"vars": {**server.spec.vars, "map": "dm6"}}))
    await server.restart(Card())
    assert crc(server) == "dm6"


async def test_a_file_that_somebody_put_there_or_edited_is_kept(host: Host, server: GameServer, shelf: Shelf) -> None:
    maps(host).mkdir(parents=True, exist_ok=True)
    mine = maps(host) / "Harbour.map"
    mine.write_bytes(stock("dm6"))
    result = await deploy(server, shelf.put(stock("ctf5"), "Harbour"))
    assert (result.state, result.conflicts) == ("conflict", ["Harbour.map"])
    assert "was not deployed from here" in result.detail
    assert mine.read_bytes() == stock("dm6")
    forced = await deploy(server, shelf.put(stock("ctf5"), "Harbour", force=True))
    assert forced.state == "installed"
    (kept,) = (host.place / "servers/one/.gamekeeper/replaced").iterdir()
    assert kept.read_bytes() == stock("dm6")
    mine.write_bytes(stock("dm7"))
    edited = await deploy(server, shelf.put(stock("dm2"), "Harbour"))
    assert (edited.state, edited.conflicts) == ("conflict", ["Harbour.map"])
    assert "edited on the host" in edited.detail
    assert mine.read_bytes() == stock("dm7")
    mine.write_bytes(stock("ctf5"))
    assert (await deploy(server, shelf.put(stock("dm2"), "Harbour"))).state == "installed"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (zipped({"../../server.cfg": b"sv_rcon_password x"}), "Evil", "leads out of its folder"),
        (zipped({"a.map": b"x", "b.map": b"y"}), "Two", "has to hold one `.map` file"),
        (b"", "Nothing", "is empty"),
    ],
    ids=["traversal", "two", "empty"],
)
async def test_what_is_not_taken_changes_nothing(
    host: Host, server: GameServer, shelf: Shelf, content: bytes, name: str, words: str
) -> None:
    before = sorted(str(path) for path in (host.place / "servers").rglob("*"))
    params = shelf.put(content or b"\0", name)
    if not content:
        (shelf.place / str(params.artifact_id)).write_bytes(b"")
        params = params.model_copy(update={"sha256": hashlib.sha256(b"").hexdigest()})
    result = await deploy(server, params)
    assert result.state == "refused"
    assert words in result.detail
    assert sorted(str(path) for path in (host.place / "servers").rglob("*")) == before


async def test_nothing_is_placed_through_a_link(host: Host, server: GameServer, shelf: Shelf) -> None:
    elsewhere = host.place / "elsewhere"
    elsewhere.mkdir()
    maps(host).parent.mkdir(parents=True, exist_ok=True)
    if maps(host).exists():
        maps(host).rmdir()
    maps(host).symlink_to(elsewhere)
    with pytest.raises(TaskFailed, match="`maps` in the server's directory is a symbolic link"):
        await deploy(server, shelf.put(stock("ctf5"), "Harbour"))
    maps(host).unlink()
    maps(host).mkdir()
    (maps(host) / "Harbour.map").symlink_to(elsewhere / "target")
    with pytest.raises(TaskFailed, match="is a symbolic link"):
        await deploy(server, shelf.put(stock("ctf5"), "Harbour"))
    (maps(host) / "Bay.map").mkdir()
    with pytest.raises(TaskFailed, match="it is not a file"):
        await deploy(server, shelf.put(stock("ctf5"), "Bay"))
    os.mkfifo(maps(host) / "Pipe.map")
    with pytest.raises(TaskFailed, match="it is not a file"):
        await deploy(server, shelf.put(stock("ctf5"), "Pipe"))
    assert not list(elsewhere.iterdir())


async def test_the_file_has_to_be_the_one_that_was_uploaded(server: GameServer, shelf: Shelf) -> None:
    params = shelf.put(stock("ctf5"), "Harbour").model_copy(update={"sha256": "0" * 64})
    with pytest.raises(TaskFailed, match="its SHA-256 differs"):
        await deploy(server, params)


@pytest.mark.parametrize("step", [Step.DOWNLOADING, Step.UNPACKING, Step.SWAPPING])
async def test_cancelled_before_the_swap_nothing_has_happened(
    host: Host, server: GameServer, shelf: Shelf, step: Step
) -> None:
    with pytest.raises(Cancelled):
        await server.install_mod(shelf.put(stock("ctf5"), "Harbour"), Card(cancel_at=step))
    assert_tidy(server)
    assert not (maps(host) / "Harbour.map").exists()


async def test_cancelled_after_the_swap_it_is_done(host: Host, server: GameServer, shelf: Shelf) -> None:
    result = await server.install_mod(shelf.put(stock("ctf5"), "Harbour"), Card(cancel_at=Step.VERIFYING))
    assert result.state == "installed"


async def test_broken_off_the_old_version_is_back(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(stock("ctf5"), "Harbour", "1"))
    card = Card()
    work = asyncio.create_task(server.install_mod(shelf.put(stock("dm2"), "Harbour", "2"), card))
    while Step.VERIFYING not in card.steps:
        await asyncio.sleep(0.005)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert (maps(host) / "Harbour.map").read_bytes() == stock("ctf5")
    assert_tidy(server)


async def test_a_server_that_was_taken_over(host: Host, shelf: Shelf) -> None:
    old = host.place / "old"
    old.mkdir()
    ports = {"port": str(free_port()), "econ_port": str(free_port())}
    (old / "server.cfg").write_text(f'sv_map "dm6"\nec_port {ports["econ_port"]}\n')
    host.config = host.config.model_copy(update={"adopt": {"one": old}})
    server = await host.server(host.spec("teeworlds", vars={"port": ports["port"]}))
    await server.create(Card())
    await server.start(Card())
    assert crc(server) == "dm6"
    assert (await deploy(server, shelf.put(stock("ctf5"), "Harbour"))).state == "installed"
    assert (old / "userdata/teeworlds/maps/Harbour.map").read_bytes() == stock("ctf5")
    await server.restart(Card())
    assert crc(server) == "Harbour"
