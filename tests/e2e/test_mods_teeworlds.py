"""A map from an attachment in Discord to the log of a real Teeworlds, by a real agent that is killed on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.harness import HostMachine, free_port
from tests.e2e.community import Community, filled, said, shown_to
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

STOCK = Path("/usr/share/games/teeworlds/data/maps")


@pytest.fixture
async def machine(community: Community, tmp_path: Path) -> AsyncIterator[HostMachine]:
    """A paired host whose agent runs."""
    await community.set_up()
    url = f"http://127.0.0.1:{community.app.port}"
    machine = HostMachine(tmp_path / "host", url)
    machine.place.mkdir()
    machine.own_process = True
    machine.configure()
    shown = said(await community.owner.slash(community.general, "host add", name="basement"))
    token = shown.split("gamekeeper-agent pair ")[1].split()[1]
    code, output = await machine.command("pair", url, token, "--config", str(machine.config))
    assert code == 0, output
    await machine.start()
    yield machine
    await machine.clean_up()


@pytest.fixture
async def arena(community: Community, machine: HostMachine) -> str:
    """A Teeworlds server that runs; its id."""
    (host,) = await community.eventually(lambda: community.rows("select id from hosts where status = 'online'"))
    options = {"host": str(host.id), "game": "teeworlds", "name": "Arena"}
    form = await community.owner.slash(community.general, "fleet add", **options)
    ports = {"var.port": str(free_port()), "var.econ_port": str(free_port())}
    await community.owner.submit_modal(form, filled(form, **ports))
    await message(community, "Create · Arena", "**done**")
    (server,) = await community.rows("select id from server_instances")
    await community.owner.slash(community.general, "server start", server=str(server.id))
    await message(community, "Start · Arena", "**done**")
    return str(server.id)


async def message(community: Community, *words: str) -> str:
    """The newest message with all of these words."""

    def find() -> str | None:
        texts = [text for text in community.texts(community.ops) if all(word in text for word in words)]
        return texts[-1] if texts else None

    return await community.eventually(find, 30)


async def deploy(community: Community, server: str, content: bytes, version: str) -> None:
    """Uploads a version of the map Harbour and confirms its deployment."""
    done = await community.owner.slash(community.general, "mod upload", file=("Harbour.map", content), version=version)
    assert f"Harbour {version} is ready" in said(done)
    asked = await community.owner.slash(community.general, "mod deploy", server=server, mod="Harbour")
    await community.owner.click(shown_to(asked), label="Deploy on Arena")


def stock(name: str) -> bytes:
    return (STOCK / f"{name}.map").read_bytes()


async def test_a_map_is_played_a_broken_one_is_taken_back_and_a_kill_changes_nothing(
    community: Community, machine: HostMachine, arena: str
) -> None:
    await deploy(community, arena, stock("ctf5"), "1.0")
    played = await message(community, "Deploy · Arena", "**Harbour** 1.0", "**done**")
    assert "maps/Harbour.map crc is 20b97905" in played
    await deploy(community, arena, b"a torn file " * 99, "1.1")
    torn = await message(community, "Deploy · Arena", "**Harbour** 1.1", "**failed**")
    assert "failed to load map" in torn and "The old version is back" in torn
    await deploy(community, arena, stock("dm2"), "1.2")
    await machine.kill()
    await machine.start()
    again = await message(community, "Deploy · Arena", "**Harbour** 1.2", "**done**")
    assert "maps/Harbour.map crc is 054b1259" in again
    history = said(await community.owner.slash(community.general, "mod history", server=arena))
    assert [f"**Harbour** {version}" in history for version in ("1.0", "1.1", "1.2")] == [True] * 3
    rows = await community.rows("select status from mod_deployments order by created_at")
    assert [row.status for row in rows] == ["superseded", "failed", "active"]
    await community.eventually(lambda: community.rows("select 1 from server_mods where artifact_id is not null"))
    (map_file,) = machine.servers.glob("*/userdata/teeworlds/maps/*.map")
    assert (map_file.name, map_file.read_bytes()) == ("Harbour.map", stock("dm2"))
