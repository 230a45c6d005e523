"""Where a mod goes, and what may be there: plain folders and files below the server's directory, and nothing else."""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agent.errors import TaskFailed
from agent.runtime.home import Home
from games.archives import ArchiveError, Unit, folder_name
from games.resolved import ResolvedModDir

WORK: Final = ".gamekeeper"
"""In the server's directory, thus on the same file system as its mods, and where no game looks for any."""


@dataclass(frozen=True)
class Place:
    """The target of a deployment."""

    home: Path
    folder: Path
    """The directory of mods."""
    target: Path
    unit: Unit

    @property
    def label(self) -> str:
        """The mod's name without a suffix: what a console is told, and what the game calls a single file."""
        return self.target.name.removesuffix(self.unit.suffix) if self.unit.suffix else self.target.name

    def work(self, deployment: str) -> Path:
        """Where it is unpacked, and the old version kept until the new one is proved."""
        return self.home / WORK / deployment


def find_place(home: Home, directory: ResolvedModDir, name: str) -> Place:
    """Where this mod goes. Raises `TaskFailed` for a name that is none, or when something odd is in the way."""
    unit = directory.described.judged_as
    for path in (home.path / WORK, *_between(home.path, directory.path)):
        _check(path, stat.S_ISDIR, "a directory")
    try:
        target = directory.path / (folder_name(name) + unit.suffix)
    except ArchiveError as error:
        raise TaskFailed(f"{error.what} Nothing was changed.") from None
    _check(target, stat.S_ISREG if unit.kind == "file" else stat.S_ISDIR, f"a {unit.kind}")
    return Place(home.path, directory.path, target, unit)


def _between(top: Path, bottom: Path) -> Iterator[Path]:
    for part in bottom.relative_to(top).parts:
        top = top / part
        yield top


def _check(path: Path, is_right: Callable[[int], bool], what: str) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise TaskFailed(f"`{path.name}` in the server's directory is a symbolic link; nothing is placed through it.")
    if not is_right(mode):
        raise TaskFailed(f"`{path.name}` in the server's directory is in the way: it is not {what}.")


def files_of(top: Path) -> dict[str, Path]:
    """The files below a mod's folder, or the single file itself, by relative path. Nothing, where there is nothing.

    Raises `TaskFailed` for links and special files: whoever put them there has to decide what becomes of them.
    """
    try:
        mode = top.lstat().st_mode
    except FileNotFoundError:
        return {}
    if stat.S_ISREG(mode):
        return {top.name: top}
    return {str(path.relative_to(top)): path for path in _walk(top)}


def _walk(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            else:
                what = readable(entry.name)[:100]
                raise TaskFailed(f"`{what}` in the mod's folder is no plain file; remove it first.")


def readable(name: str) -> str:
    """A name on disk, which may be in any encoding, as a text that can be sent."""
    return os.fsencode(name).decode(errors="replace")
