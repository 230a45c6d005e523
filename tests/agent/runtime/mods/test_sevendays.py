"""Mod folders on the imitated 7 Days to Die, which loads them as the real one does: at its start only."""

from pathlib import Path

import pytest

from agent.errors import TaskFailed
from agent.runtime.server import GameServer
from agent.wire import Step
from bot.demo.sevendays import settings
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from games.catalog import load_template
from tests.agent.runtime.conftest import Card, Host, free_port, inside
from tests.agent.runtime.mods.conftest import Shelf, assert_tidy, deploy, modlet, zipped

SHIPPED = Path(__file__).parents[4] / "games/templates/7dtd.yaml"


@pytest.fixture
async def server(host: Host, shelf: Shelf) -> GameServer:
    """Created and started."""
    install(host.place / "servers/one")
    settings.write(host.place / "servers/one", start_seconds=0.2, stop_seconds=0.05)
    server = await host.server(host.spec("7dtd", vars={"port": str(free_port()), "telnet_port": str(free_port())}))
    await server.create(Card())
    await server.start(Card())
    return server


def folder(host: Host, name: str = "BetterLoot") -> Path:
    return host.place / "servers/one/Mods" / name


async def loaded(server: GameServer) -> list[str]:
    """What the game answers to `version`."""
    return [line for line in (await server.command("version")).lines if line.startswith("Mod ")]


async def test_a_mod_is_loaded_after_the_restart(host: Host, server: GameServer, shelf: Shelf) -> None:
    card = Card()
    files = {"Config/items.xml": "<configs/>", "Harmony.dll": b"MZ\x90"}
    result = await server.install_mod(shelf.put(modlet("BetterLoot", "1.0.3", files), "BetterLoot", "1.0.3"), card)
    assert (result.state, result.restarted) == ("installed", True), result
    assert card.steps == [
        Step.DOWNLOADING,
        Step.UNPACKING,
        Step.SWAPPING,
        Step.SAVING,
        Step.STOPPING,
        Step.STARTING,
        Step.WAITING_READY,
        Step.VERIFYING,
    ]
    logged, listed = result.verified
    assert logged.endswith("INF [MODS]     Loaded Mod: BetterLoot (1.0.3)")
    assert listed == "Mod BetterLoot: 1.0.3"
    assert "Mod BetterLoot: 1.0.3" in await loaded(server)
    assert (folder(host) / "Config/items.xml").read_text() == "<configs/>"
    assert_tidy(server)
    newer = await deploy(server, shelf.put(modlet("BetterLoot", "1.1.0"), "BetterLoot", "1.1.0"))
    assert "Mod BetterLoot: 1.1.0" in newer.verified
    assert not (folder(host) / "Config").exists()


async def test_a_mod_that_the_game_does_not_load_is_taken_back(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(modlet("BetterLoot", "1.0.3"), "BetterLoot", "1.0.3"))
    broken = modlet("BetterLoot", "1.1.0", {"BetterLoot.dll": b"<html>404</html>"})
    card = Card()
    result = await server.install_mod(shelf.put(broken, "BetterLoot", "1.1.0"), card)
    assert result.state == "rolled_back"
    assert "Failed loading DLL" in result.detail
    assert "The old version is back, and the game runs as before." in result.detail
    assert "Mod BetterLoot: 1.0.3" in result.verified
    assert Step.ROLLING_BACK in card.steps
    assert "Mod BetterLoot: 1.0.3" in await loaded(server)
    assert not (folder(host) / "BetterLoot.dll").exists()
    assert_tidy(server)


async def test_a_game_that_does_not_start_with_it_starts_without(host: Host, server: GameServer, shelf: Shelf) -> None:
    """Its exit code is what says so."""
    settings.write(host.place / "servers/one", start_seconds=1.0)
    crashes = iter([3])

    async def fall_over(step: Step, _: str) -> None:
        if step == Step.WAITING_READY and (code := next(crashes, None)):
            while inside(server).process.alive:
                await AsyncControl(host.place / "servers/one").crash(code)

    result = await server.install_mod(shelf.put(modlet("Poison", "1.0.0"), "Poison", "1.0.0"), fall_over)
    assert result.state == "rolled_back"
    assert "exited with code 3" in result.detail
    assert "It was removed again, and the game runs as before." in result.detail
    assert not folder(host, "Poison").exists()
    assert (await server.status()).state == "running"


async def test_the_old_format_is_refused_here_and_by_the_game(host: Host, server: GameServer, shelf: Shelf) -> None:
    old = zipped({"Old/ModInfo.xml": '<xml><ModInfo><Name value="Old"/><Version value="1.0"/></ModInfo></xml>'})
    refused = await deploy(server, shelf.put(old, "Old", "1.0"))
    assert refused.state == "refused"
    assert "old format" in refused.detail
    own = host.place / "templates/7dtd.yaml"
    own.parent.mkdir()
    own.write_text(SHIPPED.read_text().replace(", manifest_format: 7dtd_v2", "").replace("golden/7dtd.yaml", ""))
    host.catalog["7dtd"] = load_template(own)
    await server.restart(Card())
    by_game = await deploy(server, shelf.put(old, "Old", "1.0"))
    assert by_game.state == "rolled_back"
    assert "Old/ModInfo.xml in legacy format. V2 required to load mod" in by_game.detail
    assert not folder(host, "Old").exists()


async def test_what_was_edited_is_kept_and_what_was_added_stays(host: Host, server: GameServer, shelf: Shelf) -> None:
    files = {"Config/loot.xml": "<loot/>", "Config/items.xml": "<items/>"}
    await deploy(server, shelf.put(modlet("BetterLoot", "1.0.3", files), "BetterLoot", "1.0.3"))
    (folder(host) / "Config/loot.xml").write_text("<loot mine='yes'/>")
    (folder(host) / "Data").mkdir()
    (folder(host) / "Data/players.json").write_text("{}")
    newer = modlet("BetterLoot", "1.1.0", {**files, "Config/loot.xml": "<loot more='yes'/>"})
    pid = inside(server).process.game
    result = await deploy(server, shelf.put(newer, "BetterLoot", "1.1.0"))
    assert (result.state, result.conflicts) == ("conflict", ["Config/loot.xml"])
    assert inside(server).process.game == pid
    assert (folder(host) / "Config/loot.xml").read_text() == "<loot mine='yes'/>"
    (folder(host) / "Config/loot.xml").write_text("<loot/>")
    assert (await deploy(server, shelf.put(newer, "BetterLoot", "1.1.0"))).state == "installed"
    assert (folder(host) / "Data/players.json").read_text() == "{}"
    assert (folder(host) / "Config/loot.xml").read_text() == "<loot more='yes'/>"


async def test_a_second_folder_with_the_same_mod_is_refused(host: Host, server: GameServer, shelf: Shelf) -> None:
    folder(host, "by hand").mkdir()
    (folder(host, "by hand") / "ModInfo.xml").write_text('<xml><Name value="Loot"/><Version value="0.9"/></xml>')
    result = await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))
    assert result.state == "refused"
    assert "in the folder by hand as well" in result.detail
    assert not folder(host, "Loot").exists()


async def test_a_link_in_the_mods_folder_stops_it(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))
    (folder(host, "Loot") / "secret").symlink_to("/etc/passwd")
    with pytest.raises(TaskFailed, match="is no plain file; remove it first"):
        await deploy(server, shelf.put(modlet("Loot", "1.1"), "Loot", "1.1"))
    assert "1.0" in (folder(host, "Loot") / "ModInfo.xml").read_text()


async def test_who_kills_the_game_meanwhile_is_obeyed(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))

    async def kill_at(step: Step, _: str) -> None:
        if step == Step.WAITING_READY:
            await server.kill()

    result = await server.install_mod(shelf.put(modlet("Loot", "1.1"), "Loot", "1.1"), kill_at)
    assert result.state == "rolled_back"
    assert "killed" in result.detail
    assert not inside(server).process.alive
    assert "1.0" in (folder(host, "Loot") / "ModInfo.xml").read_text()


async def test_the_inventory_grows_only_when_something_changed(host: Host, server: GameServer, shelf: Shelf) -> None:
    first = await server.mods()
    assert first is not None
    assert [(mod.folder, mod.name, mod.version) for mod in first.mods] == [("0_TFP_Harmony", "TFP_Harmony", "1.1.0.4")]
    again = await server.mods()
    assert again is not None
    assert again.revision == first.revision == (await server.status()).mods_revision
    params = shelf.put(modlet("Loot", "1.0"), "Loot", "1.0")
    await deploy(server, params)
    after = await server.mods()
    assert after is not None
    assert after.revision == first.revision + 1
    loot = next(mod for mod in after.mods if mod.folder == "Loot")
    assert (loot.name, loot.version, loot.author, loot.sha256) == ("Loot", "1.0", "Marla", params.sha256)
    (folder(host, "Loot") / "ModInfo.xml").write_text('<xml><Name value="Loot"/><Version value="1.0-mine"/></xml>')
    edited = await server.mods()
    assert edited is not None
    assert edited.revision == after.revision + 1
