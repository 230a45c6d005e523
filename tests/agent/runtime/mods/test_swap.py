"""An exchange that dies between any two of its steps, and the one that clears up after it as well."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agent.errors import TaskFailed
from agent.runtime.home import Home
from agent.runtime.mods import swap as swapping
from agent.runtime.mods.place import Place, find_place
from agent.runtime.mods.swap import Swap, recover
from agent.runtime.mods.unpack import carry_over
from agent.runtime.mods_records import Installed, Records
from games.resolved import ResolvedModDir
from games.sections.mods import ModDir

OLD, NEW = {"a.xml": "old", "only-old.xml": "x"}, {"a.xml": "new", "deep/b.xml": "y"}


class Died(BaseException):
    """kill -9."""


@contextmanager
def dying_at(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[Callable[[], bool]]:
    """The process dies before its n-th change of the disk; says whether it did."""
    left = [number]

    def mortal(change: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                raise Died
            return change(*args, **more)

        return instead

    with monkeypatch.context() as patch:
        for owner, name in ((Path, "rename"), (Path, "unlink"), (Path, "mkdir"), (shutil, "rmtree")):
            patch.setattr(owner, name, mortal(getattr(owner, name)))
        patch.setattr(swapping, "write_private", mortal(swapping.write_private))
        yield lambda: left[0] <= 0


class Table:
    """A server's directory with a mod in it, or none, and the journal beside it."""

    def __init__(self, place: Path, *, had_old: bool) -> None:
        self.home, self.state = place / "home", place / "state"
        self.home.mkdir(parents=True)
        self.state.mkdir()
        self.records = Records(self.state)
        described = ModDir(path="{dir}/Mods", unit="folder")
        self.place: Place = find_place(
            Home(self.home, adopted=False), ResolvedModDir(self.home / "Mods", described), "X"
        )
        if had_old:
            write(self.place.target, OLD)
        self.before = read(self.place.target)

    def deploy(self, *, proved: bool) -> None:
        swap = Swap.begin(self.state, self.place, uuid4())
        write(swap.new, NEW)
        swap.exchange(keep_old=False)
        if proved:
            swap.finish(
                self.records, Installed(deployment_id=uuid4(), sha256="0" * 64, name="X", version="2", files={})
            )
        else:
            swap.undo()

    def restart(self) -> None:
        """Another agent begins."""
        self.records = Records(self.state)
        recover(self.state, self.records)

    def assert_whole(self) -> None:
        there = read(self.place.target)
        assert there == (NEW if "X" in self.records.facts.installed else self.before)
        assert not (self.state / "swap.json").exists()
        assert not (self.home / ".gamekeeper").exists()


def write(top: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)


def read(top: Path) -> dict[str, str]:
    return {str(path.relative_to(top)): path.read_text() for path in top.rglob("*") if path.is_file()}


@pytest.mark.parametrize("had_old", [True, False], ids=["another version", "the first"])
@pytest.mark.parametrize("proved", [True, False], ids=["proved", "refused"])
def test_whenever_it_dies_one_version_is_there_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, had_old: bool, proved: bool
) -> None:
    number, survived = 0, False
    while not survived:
        number += 1
        table = Table(tmp_path / str(number), had_old=had_old)
        with dying_at(monkeypatch, number) as died:
            try:
                table.deploy(proved=proved)
            except Died:
                assert died()
            survived = not died()
        _die_while_clearing_up(table, monkeypatch, number)
        table.restart()
        table.assert_whole()
        assert not survived or ("X" in table.records.facts.installed) == proved
    assert number > 8


def _die_while_clearing_up(table: Table, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    with dying_at(monkeypatch, number % 4 + 1):
        try:
            table.restart()
        except Died:
            return


@contextmanager
def as_nobody() -> Iterator[Path]:
    """A directory, in the rights of somebody whom a mode can keep out."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o777)
        before = os.geteuid()
        os.seteuid(before or 65534)
        try:
            yield Path(place)
        finally:
            os.seteuid(before)


@pytest.mark.parametrize("mode", [0o500, 0o000], ids=oct)
def test_a_protected_folder_in_the_version_that_is_replaced(mode: int) -> None:
    with as_nobody() as place:
        table = Table(place, had_old=True)
        write(table.place.target / "mine", {"a": "b", "deep/c": "d"})
        (table.place.target / "mine/deep").chmod(mode)
        (table.place.target / "mine").chmod(mode)
        table.deploy(proved=True)
        table.assert_whole()


def test_what_somebody_else_has_added_goes_along() -> None:
    with as_nobody() as place:
        table = Table(place, had_old=True)
        known = Installed(deployment_id=uuid4(), sha256="0" * 64, name="X", version="1", files=dict.fromkeys(OLD, ""))
        added = table.place.target / "settings.json"
        added.write_text("mine")
        nobody = os.geteuid()
        os.seteuid(os.getuid())
        os.chown(added, os.getuid(), os.getgid())
        added.chmod(0o644)
        os.seteuid(nobody)
        carry_over(table.place, known, NEW, place / "new")
        assert read(place / "new") == {"settings.json": "mine"}


def test_a_server_whose_directory_cannot_be_written_is_left_as_it_is() -> None:
    with as_nobody() as place:
        table = Table(place, had_old=True)
        table.home.chmod(0o500)
        with pytest.raises(PermissionError):
            table.deploy(proved=True)
        table.assert_whole()
        table.home.chmod(0o700)


def test_a_damaged_journal_is_said_and_nothing_is_guessed(tmp_path: Path) -> None:
    table = Table(tmp_path, had_old=True)
    (table.state / "swap.json").write_text("{")
    with pytest.raises(TaskFailed, match="look whether the server's mods are whole"):
        table.restart()
    assert read(table.place.target) == OLD


def test_without_a_journal_there_is_nothing_to_do(tmp_path: Path) -> None:
    table = Table(tmp_path, had_old=True)
    assert recover(table.state, table.records) == ""
