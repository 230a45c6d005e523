"""From an artifact to files beside their target, judged by the same rules as when it was uploaded."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Set
from pathlib import Path, PurePath
from typing import BinaryIO, Final

from agent.runtime.mods.place import Place, files_of, readable
from agent.runtime.mods_records import Installed
from games.archives import Manifest, inspect

SHOWN: Final = 50
"""Conflicts that are listed."""


def unpack(source: Path, place: Place, into: Path) -> Manifest:
    """Raises `ArchiveError`, or `OSError`; what is there after either is to be removed."""

    def opened(path: str) -> BinaryIO:
        file = into if place.unit.kind == "file" else into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return open(os.open(file, flags, 0o644), "wb")

    return inspect(source, place.unit, file_name=place.target.name, place=opened)


def digests(place: Place, manifest: Manifest) -> dict[str, str]:
    """SHA-256 by path of what was unpacked, as `files_of` will name it."""
    if place.unit.kind == "file":
        return {place.target.name: manifest.files[0].sha256}
    return {file.path: file.sha256 for file in manifest.files}


def conflicts(place: Place, known: Installed | None, new: Mapping[str, str]) -> list[str]:
    """Files of the target that somebody edited or put there, and that the new version would replace.

    Where the mod is not of our making, each of its files is somebody's.
    """
    found: list[str] = []
    folders = _folders(new)
    for path, file in sorted(files_of(place.target).items()):
        there, ours = _digest(file), known.files.get(path) if known else None
        added = known and ours is None and path not in new and not _clashes(path, new, folders)
        if not added and there not in (new.get(path), ours):
            found.append(readable(path)[:300])
    return found[:SHOWN]


def carry_over(place: Place, known: Installed | None, new: Mapping[str, str], into: Path) -> None:
    """What a mod or a person has added to its folder stays in it: settings, most of all. Raises `OSError`."""
    if known is None or place.unit.kind == "file":
        return
    folders = _folders(new)
    for path, file in files_of(place.target).items():
        if path not in known.files and path not in new and not _clashes(path, new, folders):
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            _same(file, into / path)


def _same(file: Path, place: Path) -> None:
    try:
        os.link(file, place, follow_symlinks=False)
    except OSError:  # a file system without links, or a file that belongs to somebody else
        shutil.copy2(file, place, follow_symlinks=False)


def _folders(files: Iterable[str]) -> set[str]:
    return {str(folder) for file in files for folder in PurePath(file).parents}


def _clashes(path: str, new: Mapping[str, str], folders: Set[str]) -> bool:
    """Whether one of them has a folder where the other has a file."""
    return path in folders or not new.keys().isdisjoint(_folders([path]))


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
