"""What is uploaded as a mod: judged by the bot when it arrives and by the agent before it is placed, by the same rules.

`inspect` reads every byte and unpacks nothing, unless it is told where to put the files.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from games import zips
from games.formats import modinfo
from games.formats.modinfo import ModInfo
from games.zips import PACKED_MAX, UNPACKED_MAX, ArchiveError, shown

__all__ = ["PACKED_MAX", "ArchiveError", "File", "Manifest", "Unit", "folder_name", "inspect"]

FOLDER_MAX: Final = 63
"""Characters of the name that a mod gets on a server."""
_CHUNK: Final = 256 * 1024
_JUNK: Final = re.compile(r"(?:^|/)(?:__MACOSX(?:/|$)|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")
_NOT_IN_FOLDERS: Final = re.compile(r"[^A-Za-z0-9_ .-]+")

Place = Callable[[str], BinaryIO]
"""Opens the file of a path, relative to the mod's own folder, for writing; it is closed here."""


@dataclass(frozen=True)
class Unit:
    """What one mod of a game is: a folder with a manifest, or a single file."""

    kind: Literal["folder", "file"]
    suffix: str = ""
    """Of a file: `.map`."""
    manifest: str = ""
    """Of a folder: the file that makes it a mod, `ModInfo.xml`. Empty: any folder will do."""
    manifest_format: Literal["", "7dtd_v2"] = ""


@dataclass(frozen=True)
class File:
    """A file of a mod."""

    path: str
    """Relative to the mod's folder."""
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a mod consists of. The texts are its author's: empty where it has none."""

    files: tuple[File, ...]
    size: int
    """Bytes, unpacked."""
    name: str = ""
    version: str = ""
    author: str = ""
    website: str = ""

    def dump(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def folder_name(name: str) -> str:
    """The name of a mod's folder, or of its file before the suffix: the same for all versions of a mod.

    Raises:
        ArchiveError: nothing usable is left of the name.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    plain = " ".join(_NOT_IN_FOLDERS.sub("_", "".join(letters)).split())
    plain = plain.lstrip(" .-")[:FOLDER_MAX].rstrip(" .")
    if not re.search(r"[A-Za-z0-9]", plain):
        raise ArchiveError("The mod's name has no Latin letters or digits.", "Give it another `name`.")
    return plain


def inspect(source: Path, unit: Unit, *, file_name: str = "", place: Place | None = None) -> Manifest:
    """Judges an uploaded file. `file_name` is the one it was uploaded with; it names a single file that is not packed.
    With `place`, the mod's files are written there as they are judged: what is there after an error is to be removed.

    Reads up to 2 GiB: call it in a thread.

    Raises:
        ArchiveError: the file is not taken.
        OSError: it cannot be read, or a file cannot be written.
    """
    if unit.kind == "file" and not _is_zip(source):
        return _plain(source, unit, file_name, place)
    with zips.opened(source) as archive:
        members = [member for member in archive.members if not _JUNK.search(member.path)]
        root = _root([member.path for member in members], unit)
        files: list[File] = []
        about, size = ModInfo("", ""), 0
        for member in members:
            path, content = member.path.removeprefix(root), archive.chunks(member, UNPACKED_MAX - size)
            if unit.manifest_format == "7dtd_v2" and path == unit.manifest:
                raw = b"".join(_at_most(content, modinfo.SIZE_MAX + 1))
                about, content = _modinfo(raw), iter([raw])
            files.append(_taken(path, content, place))
            size += files[-1].size
    if unit.kind == "file":
        about = ModInfo(_stem(files[0].path, unit), "")
    if not size:
        raise _empty(files[0].path)
    return Manifest(tuple(files), size, about.name, about.version, about.author, about.website)


def _is_zip(source: Path) -> bool:
    with source.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _plain(source: Path, unit: Unit, file_name: str, place: Place | None) -> Manifest:
    """A single file that is not packed."""
    name = Path(file_name).name
    if not name.lower().endswith(unit.suffix):
        raise ArchiveError(f"`{shown(name)}` is no `{unit.suffix}` file.", _wanted(unit))
    if source.stat().st_size > PACKED_MAX:
        raise ArchiveError(f"The file is larger than {PACKED_MAX >> 20} MiB.", "Make it smaller.")
    with source.open("rb") as content:
        file = _taken(name, iter(lambda: content.read(_CHUNK), b""), place)
    if not file.size:
        raise _empty(name)
    return Manifest((file,), file.size, _stem(name, unit))


def _root(paths: Sequence[str], unit: Unit) -> str:
    """The folders around the mod, with a slash at their end: they are left away."""
    if not paths:
        raise ArchiveError("There is no file in the archive.", _wanted(unit))
    if unit.kind == "file":
        return _root_of_file(paths, unit)
    if not unit.manifest:
        folders = [path.split("/")[:-1] for path in paths]
        common = takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))
        return "".join(f"{level[0]}/" for level in common)
    roots = [path.removesuffix(unit.manifest) for path in paths if f"/{path}".endswith(f"/{unit.manifest}")]
    if not roots:
        raise ArchiveError(f"There is no `{unit.manifest}` in the archive (spelled so).", _wanted(unit))
    if len(roots) > 1:
        folders = ", ".join(f"`{shown(root.rstrip('/') or '.')}`" for root in roots[:3])
        raise ArchiveError(f"There are {len(roots)} mods in the archive: {folders}.", "Upload them one by one.")
    if outside := next((path for path in paths if not path.startswith(roots[0])), None):
        raise ArchiveError(f"`{shown(outside)}` lies outside of the mod's folder.", _wanted(unit))
    return roots[0]


def _root_of_file(paths: Sequence[str], unit: Unit) -> str:
    if len(paths) != 1 or not paths[0].lower().endswith(unit.suffix):
        raise ArchiveError(f"The archive has to hold one `{unit.suffix}` file and nothing else.", _wanted(unit))
    return paths[0].removesuffix(paths[0].rpartition("/")[2])


def _taken(path: str, content: Iterable[bytes], place: Place | None) -> File:
    """Reads a file to its end, and writes it on the way where it has a place."""
    digest, size = hashlib.sha256(), 0
    with place(path) if place else nullcontext() as target:
        for chunk in content:
            digest.update(chunk)
            size += len(chunk)
            if target is not None:
                target.write(chunk)
    return File(path, size, digest.hexdigest())


def _at_most(content: Iterable[bytes], room: int) -> Iterator[bytes]:
    for chunk in content:
        yield chunk[:room]
        room -= len(chunk)
        if room <= 0:
            return


def _modinfo(raw: bytes) -> ModInfo:
    try:
        return modinfo.read(raw)
    except ValueError as error:
        raise ArchiveError(str(error), "Correct it in the mod, and pack it again.") from error


def _stem(path: str, unit: Unit) -> str:
    return path.rpartition("/")[2][: -len(unit.suffix) or None]


def _empty(path: str) -> ArchiveError:
    return ArchiveError(f"`{shown(path)}` is empty.", "Upload the finished file.")


def _wanted(unit: Unit) -> str:
    if unit.kind == "file":
        return f"Upload a `{unit.suffix}` file, or a ZIP file with nothing else in it."
    return f"Pack one mod's folder, with its `{unit.manifest}`." if unit.manifest else "Pack one mod's folder."
