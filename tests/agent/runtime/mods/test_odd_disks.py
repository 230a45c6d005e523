"""What people, games and full disks do to a directory of mods, with the imitated 7 Days to Die."""

import asyncio
import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

from agent.errors import TaskFailed
from agent.runtime.mods import swap as swapping
from agent.runtime.server import GameServer
from agent.wire import Step
from tests.agent.runtime.conftest import Card, Host, inside
from tests.agent.runtime.mods.conftest import Shelf, assert_tidy, deploy, modlet
from tests.agent.runtime.mods.test_sevendays import folder, loaded, server

__all__ = ["server"]  # the fixture

ODD = os.fsdecode(b"caf\xe9")
"""A name that was written in another encoding than UTF-8."""


async def test_names_in_another_encoding(host: Host, server: GameServer, shelf: Shelf) -> None:
    folder(host, ODD).mkdir()
    (folder(host, ODD) / "ModInfo.xml").write_text("?")
    found = await server.mods()
    assert found is not None
    assert "caf\ufffd" in [mod.folder for mod in found.mods]
    folder(host, "Loot").mkdir()
    (folder(host, "Loot") / ODD).write_text("mine")
    result = await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))
    assert (result.state, result.conflicts) == ("conflict", ["caf\ufffd"])


async def test_what_lies_beside_is_neither_waited_for_nor_followed(
    host: Host, server: GameServer, shelf: Shelf
) -> None:
    folder(host, "pipe").mkdir()
    os.mkfifo(folder(host, "pipe") / "ModInfo.xml")
    folder(host, "everything").symlink_to("/")
    async with asyncio.timeout(20):
        assert (await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))).state == "installed"
        assert await server.mods() is not None
    with pytest.raises(TaskFailed, match="is a symbolic link; nothing is placed through it"):
        await deploy(server, shelf.put(modlet("everything", "1.0"), "everything", "1.0"))


async def test_names_that_lead_elsewhere(host: Host, server: GameServer, shelf: Shelf) -> None:
    """The protocol keeps out what has a slash; what it lets through stays below the mods."""
    with pytest.raises(TaskFailed, match="no Latin letters or digits"):
        await deploy(server, shelf.put(modlet("Loot", "1.0"), ".."))
    params = shelf.put(modlet("Loot", "1.0"), "x").model_copy(update={"name": "../../Loot"})
    assert (await deploy(server, params)).state == "installed"
    assert folder(host, "_.._Loot").is_dir()


@pytest.mark.parametrize(("mine", "theirs"), [("Config", "Config/loot.xml"), ("Config/loot.xml", "Config")])
async def test_a_file_where_the_new_version_has_a_folder_is_a_conflict(
    host: Host, server: GameServer, shelf: Shelf, mine: str, theirs: str
) -> None:
    await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))
    (folder(host, "Loot") / mine).parent.mkdir(exist_ok=True)
    (folder(host, "Loot") / mine).write_text("mine")
    newer = modlet("Loot", "1.1", {theirs: "theirs"})
    result = await deploy(server, shelf.put(newer, "Loot", "1.1"))
    assert (result.state, result.conflicts) == ("conflict", [mine])
    assert (await deploy(server, shelf.put(newer, "Loot", "1.1", force=True))).state == "installed"
    assert (folder(host, "Loot") / theirs).read_text() == "theirs"


async def test_who_insists_keeps_what_was_added_all_the_same(host: Host, server: GameServer, shelf: Shelf) -> None:
    await deploy(server, shelf.put(modlet("Loot", "1.0", {"a.xml": "1"}), "Loot", "1.0"))
    (folder(host, "Loot") / "a.xml").write_text("edited")
    (folder(host, "Loot") / "players.json").write_text("{}")
    result = await deploy(server, shelf.put(modlet("Loot", "1.1", {"a.xml": "2"}), "Loot", "1.1", force=True))
    assert result.state == "installed"
    assert (folder(host, "Loot") / "a.xml").read_text() == "2"
    assert (folder(host, "Loot") / "players.json").read_text() == "{}"
    [kept] = (inside(server).home().path / ".gamekeeper/replaced").iterdir()
    assert (kept / "a.xml").read_text() == "edited"


@pytest.mark.parametrize("at", [Step.UNPACKING, Step.SWAPPING])
async def test_who_kills_the_game_before_the_restart_is_obeyed(
    host: Host, server: GameServer, shelf: Shelf, at: Step
) -> None:
    async def kill_at(step: Step, _: str) -> None:
        if step == at:
            await server.kill()

    result = await server.install_mod(shelf.put(modlet("Loot", "1.1"), "Loot", "1.1"), kill_at)
    assert result.state == "installed"
    assert not inside(server).process.alive
    assert_tidy(server)


async def test_a_disk_that_is_full_at_any_moment(
    host: Host, server: GameServer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is reported is what lies there and what the game has loaded."""
    await deploy(server, shelf.put(modlet("Loot", "1.0"), "Loot", "1.0"))
    params, number, state = shelf.put(modlet("Loot", "1.1"), "Loot", "1.1"), 0, ""
    while state != "installed":
        number += 1
        with monkeypatch.context() as patch:
            full = _full_at(number, swapping.write_private)
            patch.setattr(swapping, "write_private", full)
            patch.setattr("agent.runtime.mods_records.write_private", full)
            try:
                state = (await server.install_mod(params, Card())).state
            except TaskFailed as error:
                state = str(error)
        assert state in ("installed", "rolled_back") or "No space left on device" in state
        version = "1.1" if state == "installed" else "1.0"
        assert version in (folder(host, "Loot") / "ModInfo.xml").read_text(), number
        assert f"Mod Loot: {version}" in await loaded(server), number
    assert number > 4


def _full_at(number: int, write: Callable[..., None]) -> Callable[..., None]:
    left = [number]

    def instead(*args: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(*args)

    return instead
