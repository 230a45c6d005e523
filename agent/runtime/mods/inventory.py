"""Which mods lie on the host: looked at often, read only when something changed."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from agent import wire
from agent.runtime.mods.place import Place, readable
from agent.runtime.mods_records import Installed, Records
from games.formats import modinfo
from games.formats.modinfo import ModInfo
from games.resolved import ResolvedModDir

MOST: Final = 1000
Signature = tuple[tuple[str, int, int], ...]


class Inventory:
    """The mods of one server."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._seen: tuple[Signature, Mapping[str, Installed]] | None = None
        self._mods: list[wire.ModFound] = []

    def look(self, directories: tuple[ResolvedModDir, ...]) -> None:
        """See what is there now. Blocks for as long as the disk takes; raises `OSError`."""
        seen = tuple(sorted(one for folder in directories for one in _signature(folder))), self._records.facts.installed
        if seen != self._seen:
            self._mods = [one for folder in directories for one in self._found(folder)][:MOST]
            self._seen = seen

    def seen(self) -> wire.ModList:
        """With a revision that grows when it changes. Raises `OSError` when that cannot be kept."""
        text = "".join(one.model_dump_json() for one in self._mods)
        digest = hashlib.sha256(text.encode()).hexdigest()
        if digest != self._records.facts.inventory:
            self._records.update(inventory=digest, revision=self._records.facts.revision + 1)
        return wire.ModList(revision=self._records.facts.revision, mods=self._mods)

    def _found(self, folder: ResolvedModDir) -> Iterator[wire.ModFound]:
        suffix = folder.described.suffix or ""
        for path in _mods_in(folder):
            known, about = self._records.facts.installed.get(path.name), _about(path, folder)
            yield wire.ModFound(
                folder=readable(path.name)[:128],
                state="active",
                name=(about.name or (known.name if known else readable(path.name).removesuffix(suffix)))[:128],
                version=(about.version or (known.version if known else ""))[:100] or None,
                author=about.author[:200] or None,
                website=about.website[:300] or None,
                sha256=known.sha256 if known else None,
            )


def twins(place: Place, name: str) -> str:
    """Another folder that holds a mod of this name, or nothing."""
    if not place.unit.manifest_format or not place.folder.is_dir():
        return ""
    others = (path for path in sorted(place.folder.iterdir()) if path != place.target)
    return next((readable(path.name) for path in others if _manifest(path / place.unit.manifest).name == name), "")


def _mods_in(folder: ResolvedModDir) -> list[Path]:
    described = folder.described
    if folder.path.is_symlink() or not folder.path.is_dir():
        return []
    with os.scandir(folder.path) as entries:
        if described.unit == "file":
            found = [one.path for one in entries if one.name.endswith(described.suffix or "") and one.is_file()]
        else:
            found = [one.path for one in entries if one.is_dir()]
    paths = sorted(Path(one) for one in found)
    return [path for path in paths if not described.manifest or (path / described.manifest).is_file()]


def _signature(folder: ResolvedModDir) -> Iterator[tuple[str, int, int]]:
    """What changes when a mod comes, goes, or becomes another version."""
    for path in _mods_in(folder):
        telling = path / folder.described.manifest if folder.described.manifest else path
        try:
            about = telling.stat()
        except FileNotFoundError:
            continue
        yield str(path), about.st_mtime_ns, about.st_size


def _about(path: Path, folder: ResolvedModDir) -> ModInfo:
    return _manifest(path / folder.described.manifest) if folder.described.manifest_format else ModInfo("", "")


def _manifest(path: Path) -> ModInfo:
    """Nothing where there is none that could be read: the mod is listed all the same."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return ModInfo("", "")
        with path.open("rb") as file:
            return modinfo.read(file.read(modinfo.SIZE_MAX + 1))
    except (OSError, ValueError):
        return ModInfo("", "")
