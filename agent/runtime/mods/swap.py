"""Putting a mod in the place of another, with a journal: whenever this process dies, one of them is there whole.

The journal is written before each step. An agent that finds one finishes what was proved, and undoes everything else.
"""

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import TaskFailed
from agent.files import make_private, sync, sync_tree, write_private
from agent.runtime.mods.place import Place
from agent.runtime.mods_records import Installed, Records

log = logging.getLogger(__name__)

NAME: Final = "swap.json"
REPLACED: Final = "replaced"
"""Below `place.WORK`: versions with files that somebody had edited, replaced because a person insisted."""


class Journal(BaseModel):
    """The content of a server's `swap.json`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    deployment_id: UUID
    target: Path
    work: Path
    state: Literal["unpacking", "swapping", "proved"]
    had_old: bool = False
    keep_old: bool = False
    installed: Installed | None = None
    """What is remembered of it once it is proved."""


class Swap:
    """One exchange. Methods block for as long as the disk takes, and raise `OSError`."""

    def __init__(self, directory: Path, journal: Journal) -> None:
        self._path = directory / NAME
        self._journal = journal

    @classmethod
    def begin(cls, directory: Path, place: Place, deployment_id: UUID) -> "Swap":
        """Make room for the new version."""
        work = place.work(str(deployment_id))
        swap = cls(directory, Journal(deployment_id=deployment_id, target=place.target, work=work, state="unpacking"))
        make_private(directory)
        swap._write(swap._journal)
        try:
            make_private(work.parent)
            work.mkdir(mode=0o700)
        except OSError:
            swap.undo()
            raise
        return swap

    @classmethod
    def left(cls, directory: Path) -> "Swap | None":
        """What an earlier process left unfinished. Raises `TaskFailed` for a journal that cannot be read."""
        path = directory / NAME
        try:
            return cls(directory, Journal.model_validate_json(path.read_bytes()))
        except FileNotFoundError:
            return None
        except ValidationError:
            raise TaskFailed(f"{path} is damaged: look whether the server's mods are whole, then remove it.") from None

    @property
    def new(self) -> Path:
        """Where the new version is unpacked to."""
        return self._journal.work / "new"

    @property
    def old(self) -> Path:
        """Where the old version is kept."""
        return self._journal.work / "old"

    @property
    def name(self) -> str:
        """Of the mod's folder or file."""
        return self._journal.target.name

    @property
    def settled(self) -> bool:
        """Nothing is left to do or undo."""
        return not self._path.exists()

    @property
    def proved(self) -> bool:
        """The game has taken it: it is not undone any more."""
        return self._journal.state == "proved"

    def exchange(self, *, keep_old: bool) -> None:
        """The new version takes the old one's place."""
        target = self._journal.target
        sync_tree(self.new)
        self._note(state="swapping", had_old=target.exists(), keep_old=keep_old)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            target.rename(self.old)
        self.new.rename(target)
        self._sync()

    def finish(self, records: Records, installed: Installed) -> None:
        """The game has taken it: remember that, and let go of the old version. Once it is noted it is true, and what
        the disk does not take of the rest is done by `recover`. Raises `OSError` when it was not noted."""
        self._note(state="proved", installed=installed)
        try:
            self.settle(records)
        except OSError as error:
            log.warning("the deployment of %s is tidied up later: %s", self.name, error)

    def settle(self, records: Records) -> str:
        """Bring it to an end, forward when it was proved, else back; returns in a few words what that was."""
        journal = self._journal
        if journal.installed is None:
            self.undo()
            return "was taken back" if journal.state == "swapping" else "was not begun"
        records.update(installed={**records.facts.installed, journal.target.name: journal.installed})
        if journal.keep_old and self.old.exists():
            kept = journal.work.parent / REPLACED
            kept.mkdir(exist_ok=True)
            self.old.rename(kept / f"{journal.deployment_id}-{journal.target.name}")
        self._clear()
        return "was proved before"

    def undo(self) -> None:
        """The old version is back, or nothing where there was nothing. Can be done again when it was broken off.

        What was proved stays; where that could not be remembered, `recover` does it later.
        """
        journal = self._journal
        if self.proved:
            return
        if journal.state == "swapping":
            if self.old.exists():
                self._put_aside()
                self.old.rename(journal.target)
            elif not journal.had_old and not self.new.exists():
                self._put_aside()
            self._sync()
            with contextlib.suppress(OSError):  # a disk that is full has room again after this
                self._note(state="unpacking")  # from here on, what is in the target is not ours to take away
        self._clear()

    def _put_aside(self) -> None:
        aside = self._journal.work / "undone"
        if self._journal.target.exists():
            _remove(aside)
            self._journal.target.rename(aside)

    def _clear(self) -> None:
        work = self._journal.work
        _remove(work)
        self._path.unlink(missing_ok=True)
        try:
            work.parent.rmdir()
        except OSError:
            return  # another version is kept there

    def _note(self, **changes: Any) -> None:
        self._write(self._journal.model_copy(update=changes))

    def _write(self, journal: Journal) -> None:
        write_private(self._path, journal.model_dump_json())
        self._journal = journal
        sync(self._path.parent)

    def _sync(self) -> None:
        for directory in (self._journal.target.parent, self._journal.work):
            if directory.is_dir():
                sync(directory)


def recover(directory: Path, records: Records) -> str:
    """Before anything else is done with a server's mods: end what was begun. Returns what was done, or nothing.

    Raises `TaskFailed` when that is not possible now.
    """
    swap = Swap.left(directory)
    if swap is None:
        return ""
    try:
        done = swap.settle(records)
    except OSError as error:
        raise TaskFailed(f"An earlier deployment cannot be brought to an end: {error}.") from None
    return f"the deployment of {swap.name} {done}"


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:  # somebody has protected a folder of a version that is replaced now
        _open_up(path)
        shutil.rmtree(path)


def _open_up(top: Path) -> None:
    top.chmod(0o700)
    for folder, names, _ in os.walk(top):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)
