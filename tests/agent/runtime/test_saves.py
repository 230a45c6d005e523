"""Backups: what is played is what is packed, and nothing half done stays."""

import asyncio
import contextlib
import errno
import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from agent.errors import Cancelled, TaskFailed
from agent.runtime.saves_packing import SPARE, Content, Packed, Packing, Stopped, part_of
from agent.runtime.server import GameServer
from agent.wire import SaveBackup, Step
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from tests.agent.runtime.conftest import Card, Host, free_port, inside


class Usage(NamedTuple):
    """What the kernel says of a disk."""

    total: int
    used: int
    free: int


def disk(*free: int) -> Callable[[Path], Usage]:
    """One that has so many bytes left, asked again and again."""
    answers = iter(free)
    return lambda _: Usage(1, 1, next(answers, free[-1]))


class World:
    """Saved games in a server's directory, and where their archive goes."""

    def __init__(self, place: Path) -> None:
        self.home, self.target = place / "servers/one", place / "state/backups/x/y.tar.gz"
        self.write("Saves/Navezgane/main.ttw", b"the world")
        self.write("Saves/Navezgane/Player/a.ttp", b"a" * 300_000)
        self.write("Saves/broken.tmp", b"left out")
        self.write("serverconfig.xml", b"not saved")

    def write(self, path: str, data: bytes) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def packing(self, *paths: str) -> Packing:
        tops = tuple(self.home / path for path in paths or ("Saves", "GeneratedWorlds"))
        return Packing(Content(self.home, tops, ("*.tmp",)), self.target)

    def pack(self, *paths: str) -> Packed:
        packing = self.packing(*paths)
        packing.write()
        return packing.finish()

    def unpacked(self) -> dict[str, bytes]:
        with tarfile.open(self.target) as archive:
            files = {one.name: archive.extractfile(one) for one in archive.getmembers()}
            return {name: file.read() for name, file in files.items() if file is not None}

    @property
    def left(self) -> list[str]:
        return sorted(one.name for one in self.target.parent.iterdir()) if self.target.parent.exists() else []


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_is_there_is_packed_and_nothing_else(world: World) -> None:
    packed = world.pack()
    assert world.unpacked() == {
        "Saves/Navezgane/main.ttw": b"the world",
        "Saves/Navezgane/Player/a.ttp": b"a" * 300_000,
    }
    data = world.target.read_bytes()
    assert packed == Packed(len(data), hashlib.sha256(data).hexdigest(), 2, 0)
    assert world.target.stat().st_mode & 0o777 == 0o600 and world.target.parent.stat().st_mode & 0o777 == 0o700
    assert world.left == ["y.tar.gz"]


def test_a_single_file_and_nothing_at_all(world: World) -> None:
    assert world.pack("serverconfig.xml").files == 1
    with pytest.raises(TaskFailed, match="saved nothing yet"):
        world.packing("GeneratedWorlds").write()


def test_links_and_pipes_are_not_followed(world: World) -> None:
    secret = world.write("../../secret", b"of the host")
    (world.home / "Saves/link").symlink_to(secret)
    (world.home / "Saves/folder").symlink_to(secret.parent)
    os.mkfifo(world.home / "Saves/pipe")
    packed = world.pack()
    assert (packed.files, packed.changed) == (2, 0)
    assert all(b"host" not in data for data in world.unpacked().values())


@pytest.mark.parametrize("where", ["Saves", "UserData"])
def test_a_place_that_a_link_leads_away_from_is_refused(world: World, where: str) -> None:
    outside = world.home.parent / "elsewhere"
    (outside / "Saves").mkdir(parents=True)
    (outside / "Saves/theirs").write_text("not ours")
    shutil.rmtree(world.home / "Saves")
    (world.home / where).symlink_to(outside / "Saves" if where == "Saves" else outside)
    with pytest.raises(TaskFailed, match="symbolic link"):
        world.packing("Saves" if where == "Saves" else "UserData/Saves").write()


def test_a_directory_that_cannot_be_read_fails_and_one_that_is_gone_does_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, errors = os.open, {"Player": errno.ENOENT}

    def opened(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if code := errors.get(str(path)):
            raise OSError(code, os.strerror(code))
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", opened)
    assert world.pack().files == 1
    errors["Player"] = errno.EIO
    with pytest.raises(OSError, match="Input/output"):
        world.pack()


def test_files_that_change_meanwhile_are_tolerated(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    grown, shrunk = world.write("Saves/grown", b"g" * 10), world.write("Saves/shrunk", b"s" * 10)
    gone = world.write("Saves/gone", b"listed, and gone before it is opened")
    world.write("Saves/first", b"1")
    real = tarfile.TarFile.addfile

    def addfile(archive: tarfile.TarFile, info: tarfile.TarInfo, file: Any = None) -> None:
        match info.name:
            case "Saves/first":
                gone.unlink()
            case "Saves/grown":
                grown.write_bytes(b"g" * 20)
            case "Saves/shrunk":
                shrunk.write_bytes(b"s" * 4)
            case _:
                pass
        real(archive, info, file)

    monkeypatch.setattr(tarfile.TarFile, "addfile", addfile)
    packed = world.pack()
    assert (packed.files, packed.changed) == (5, 3)
    found = world.unpacked()
    assert (found["Saves/grown"], found["Saves/shrunk"]) == (b"g" * 10, b"s" * 4 + b"\0" * 6)


@pytest.mark.parametrize(("free", "words"), [(SPARE, "no room for it on the host"), (0, "0 MiB are free")])
def test_a_disk_without_room_is_said_before_anything_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, free: int, words: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", disk(free))
    with pytest.raises(TaskFailed, match=words):
        world.packing().write()
    assert world.left == []


def test_a_disk_that_fills_up_meanwhile_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", disk(SPARE * 100, SPARE, 0))
    packing = world.packing()
    with pytest.raises(TaskFailed, match="became full meanwhile"):
        packing.write()
    packing.discard()
    assert world.left == []


@pytest.mark.parametrize("cut", [True, False])
def test_what_comes_back_different_is_not_kept(world: World, *, cut: bool) -> None:
    packing = world.packing()
    packing.write()
    part = part_of(world.target)
    data = part.read_bytes()
    part.write_bytes(data[:-20] if cut else data[:50] + b"\0" + data[51:])
    with pytest.raises(TaskFailed, match="Nothing was kept"):
        packing.finish()
    packing.discard()
    assert world.left == []


def test_what_was_stopped_leaves_nothing(world: World) -> None:
    packing = world.packing()
    packing.stop()
    with pytest.raises(Stopped):
        packing.write()
    packing.discard()
    assert world.left == []


# --------------------------------------------------------------------------------------------------- with a game


@pytest.fixture
async def server(host: Host) -> GameServer:
    """Created where the game is installed; not started."""
    install(host.place / "servers/one")
    server = await host.server(host.spec("7dtd", vars={"port": str(free_port()), "telnet_port": str(free_port())}))
    await server.create(Card())
    await AsyncControl(host.place / "servers/one").slow_start(0.1)
    return server


def kept(host: Host, server: GameServer) -> list[str]:
    return sorted(one.name for one in (host.config.state_dir / "backups" / str(server.spec.id)).glob("*"))


def wish(*drop: UUID) -> SaveBackup:
    return SaveBackup(backup_id=uuid4(), drop=list(drop))


async def test_a_running_game_saves_first(host: Host, server: GameServer) -> None:
    await server.start(Card())
    first, card = wish(), Card()
    made = await server.backup(first, card)
    assert card.steps == [Step.SAVING, Step.PACKING, Step.VERIFYING] and made.files >= 1
    assert kept(host, server) == [f"{first.backup_id}.tar.gz"] and first.backup_id is not None
    with tarfile.open(host.config.state_dir / "backups" / str(server.spec.id) / kept(host, server)[0]) as archive:
        assert any(name.endswith("main.ttw") for name in archive.getnames())
    second = wish(first.backup_id, uuid4())
    made = await server.backup(second, Card())
    assert made.dropped == second.drop and kept(host, server) == [f"{second.backup_id}.tar.gz"]
    again = await server.backup(second, Card())
    assert again.dropped == [*second.drop] and kept(host, server) == [f"{second.backup_id}.tar.gz"]


async def test_a_game_that_does_not_save_is_not_packed(
    host: Host, server: GameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.runtime.saves.SAVE_SECONDS", 0.3)
    await server.start(Card())
    await AsyncControl(host.place / "servers/one").hang(60)
    with pytest.raises(TaskFailed, match="The game did not save, so nothing was packed"):
        await server.backup(wish(), Card())
    assert kept(host, server) == []


async def test_a_game_that_is_down_is_packed_as_it_lies_there(host: Host, server: GameServer) -> None:
    with pytest.raises(TaskFailed, match="saved nothing yet"):
        await server.backup(wish(), Card())
    await server.start(Card())
    await server.stop(Card())
    assert (await server.backup(wish(), Card())).files >= 1


@pytest.mark.parametrize("step", [Step.SAVING, Step.PACKING, Step.VERIFYING])
async def test_cancelled_at_any_step_it_leaves_nothing(host: Host, server: GameServer, step: Step) -> None:
    await server.start(Card())
    with pytest.raises(Cancelled):
        await server.backup(wish(), Card(cancel_at=step))
    assert kept(host, server) == []
    assert (await server.backup(wish(), Card())).files >= 1, "and the next one is made"


async def test_broken_off_while_it_packs_it_ends_at_once(host: Host, server: GameServer) -> None:
    await server.start(Card())
    await server.stop(Card())
    big = host.place / "servers/one/UserData/Saves/big"
    with big.open("wb") as file:
        file.truncate(3 << 30)
    card = Card()
    task = asyncio.create_task(server.backup(wish(), card))
    while Step.PACKING not in card.steps or not kept(host, server):
        await asyncio.sleep(0.01)
    task.cancel()
    async with asyncio.timeout(2):
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert kept(host, server) == []
    big.unlink()


async def test_what_an_earlier_agent_left_is_cleared_up(host: Host, server: GameServer) -> None:
    directory = host.config.state_dir / "backups" / str(server.spec.id)
    directory.mkdir(parents=True)
    (directory / f"{uuid4()}.tar.gz.part").write_bytes(b"half")
    (directory / "notes.txt").write_text("of somebody")
    await server.adopt()
    assert kept(host, server) == ["notes.txt"]


async def test_a_full_disk_is_told_in_a_sentence(
    host: Host, server: GameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.start(Card())

    def full(_: Packing) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Packing, "write", full)
    with pytest.raises(TaskFailed, match=r"The host's disk is full\. Nothing of the backup was kept"):
        await server.backup(wish(), Card())


async def test_what_was_given_up_makes_room(host: Host, server: GameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.start(Card())
    old = wish()
    await server.backup(old, Card())
    assert old.backup_id is not None

    def usage(_: Path) -> Usage:
        return Usage(1, 1, SPARE if kept(host, server) == [f"{old.backup_id}.tar.gz"] else SPARE * 10)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with pytest.raises(TaskFailed, match="no room for it"):
        await server.backup(wish(), Card())
    assert kept(host, server) == [f"{old.backup_id}.tar.gz"], "what is kept makes no room"
    new = wish(old.backup_id)
    assert (await server.backup(new, Card())).dropped == [old.backup_id]
    assert kept(host, server) == [f"{new.backup_id}.tar.gz"]


async def test_other_games_say_that_they_have_nothing(host: Host) -> None:
    server = await host.server(host.spec("teeworlds"))
    with pytest.raises(TaskFailed, match="nothing that a backup would hold"):
        await server.backup(wish(), Card())
    assert inside(server).process.alive is False
