"""Loads mods as far as anybody outside can tell: which folder is accepted, and what the log says of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bot.demo.sevendays import xml_file
from bot.demo.sevendays.journal import Journal

MANIFEST = "ModInfo.xml"
ASSEMBLY = b"MZ"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Mod:
    """A loaded mod: the manifest's Name, and its Version as it stands there."""

    name: str
    version: str


class Refused(Exception):
    """The folder is not loaded; the arguments are the errors that the log gets."""


def load_all(folders: list[Path], journal: Journal) -> list[Mod]:
    """Load each folder's mods in the order of their names; of two with one name the first wins."""
    loaded: dict[str, Mod] = {}
    for folder in folders:
        journal.info(f"[MODS] Start loading from: '{folder}'")
        for path in sorted(item for item in _items(folder) if item.is_dir()):
            mod = _load(path, journal)
            if mod and mod.name in loaded:
                journal.warning(f"[MODS]     Mod with same name ({mod.name}) already loaded, ignoring")
            elif mod and _code_loads(path, journal):
                loaded[mod.name] = mod
                journal.info(f"[MODS]     Loaded Mod: {mod.name} ({mod.version})")
    journal.info("[MODS] Loading done")
    return list(loaded.values())


def _items(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _load(path: Path, journal: Journal) -> Mod | None:
    journal.info(f"[MODS]   Trying to load from folder: '{path.name}'")
    if not (path / MANIFEST).is_file():
        journal.warning(f"[MODS]     Folder {path.name} does not contain a {MANIFEST}, ignoring")
        return None
    try:
        return _manifest(path)
    except Refused as refused:
        for sentence in refused.args:
            journal.error(f"[MODS]     {sentence}")
        journal.error(f"[MODS]     Could not parse {path.name}/{MANIFEST}, ignoring")
        return None


def _code_loads(path: Path, journal: Journal) -> bool:
    """Assemblies lie beside the manifest; one that is none keeps the whole mod out."""
    for dll in sorted(item for item in path.iterdir() if item.suffix.lower() == ".dll"):
        if not dll.read_bytes().startswith(ASSEMBLY):
            journal.error(f"[MODS]     Failed loading DLL {dll}")
            journal.exception("BadImageFormatException: Format of the executable (.exe) or library (.dll) is invalid.")
            return False
        journal.info(f"[MODS]     Loaded assembly {dll.stem}")
    return True


def _manifest(path: Path) -> Mod:
    """Raises Refused."""
    place = f"{path.name}/{MANIFEST}"
    try:
        root = xml_file.read(path / MANIFEST)
    except xml_file.BadXml as error:
        raise Refused(f"{place} is not valid XML: {error}") from error
    if root.find("ModInfo") is not None:
        raise Refused(f"{place} in legacy format. V2 required to load mod")
    name, version = (_value(root, tag) for tag in ("Name", "Version"))
    if not _NAME.fullmatch(name):
        raise Refused(f"{place} does not define a valid Name (letters, digits, '_' and '-')")
    return Mod(name, version or "0.0")


def _value(root: ElementTree.Element, tag: str) -> str:
    item = root.find(tag)
    return "" if item is None else item.get("value", "").strip()
