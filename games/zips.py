"""ZIP files from strangers: the directory is judged before anything is read, the contents while they are read.

Nothing that a header says is believed where it can be measured: neither sizes, nor names, nor that entries lie apart.
"""

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

PACKED_MAX: Final = 256 * 1024 * 1024
"""Bytes of an archive."""
UNPACKED_MAX: Final = 2 * 1024 * 1024 * 1024
"""Bytes of all that is in it."""
ENTRIES_MAX: Final = 10_000
RATIO_MAX: Final = 200
"""How many times its packed size an entry may have; the first `RATIO_FREE` bytes are free."""
RATIO_FREE: Final = 1024 * 1024
PATH_MAX: Final = 512
"""Characters of a path; a component has at most 255 bytes."""

_DIRECTORY_MAX: Final = 4 * 1024 * 1024
"""Bytes of the archive's own directory, which `zipfile` reads whole."""
_CHUNK: Final = 256 * 1024
_END: Final = struct.Struct("<4s4H2LH")
_END_MAGIC: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_REPARSE_POINT: Final = 0x400
_ENCRYPTED: Final = 0x1
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OverflowError, ValueError
)  # fmt: skip


class ArchiveError(Exception):
    """A file that is not taken: `what` is wrong with it, and the `remedy`."""

    def __init__(self, what: str, remedy: str = "Make the archive anew and upload that.") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True)
class Member:
    """A regular file in an archive whose directory was judged."""

    path: str
    """Relative, with `/`, and without `.` or `..`."""
    info: zipfile.ZipInfo


@dataclass(frozen=True)
class Zip:
    """An open archive. Its members are safe to name; what is in them is counted while it is read."""

    members: tuple[Member, ...]
    _archive: zipfile.ZipFile

    def chunks(self, member: Member, room: int) -> Iterator[bytes]:
        """The content, piece by piece.

        Raises:
            ArchiveError: it is damaged, larger than `room` bytes, or larger than its packed size allows.
        """
        limit = min(room, max(RATIO_FREE, member.info.compress_size * RATIO_MAX))
        done = 0
        with _readable(), self._archive.open(member.info) as content:
            while chunk := content.read(_CHUNK):
                done += len(chunk)
                if done > limit:
                    raise _too_much(member.path) if limit < room else _too_large()
                yield chunk
        if done != member.info.file_size:
            raise ArchiveError(f"`{shown(member.path)}` in the archive is not as long as the archive says.")


@contextmanager
def opened(path: Path) -> Iterator[Zip]:
    """The archive at `path`.

    Raises:
        ArchiveError: it is no ZIP file, or one of the rules for its directory is broken.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > PACKED_MAX:
        raise ArchiveError(f"The archive is larger than {PACKED_MAX >> 20} MiB.", "Split it into several mods.")
    with path.open("rb") as file:
        _judge_end(file, path.stat().st_size)
        with _readable():
            archive = zipfile.ZipFile(file)
        with archive:
            infos = archive.infolist()
            _judge_size(infos, path.stat().st_size)
            yield Zip(tuple(_members(infos)), archive)


@contextmanager
def _readable() -> Iterator[None]:
    """Turns what `zipfile` raises for damaged files into a sentence."""
    try:
        yield
    except _BROKEN as error:
        raise ArchiveError(f"The archive is damaged: {str(error)[:100] or type(error).__name__}.") from error


def _judge_end(file: BinaryIO, size: int) -> None:
    """Counts the entries before `zipfile` does, which would build an object for each however many there are."""
    file.seek(max(0, size - _END.size - 0xFFFF))
    tail = file.read()
    exact = len(tail) - _END.size
    at = exact if tail[max(exact, 0) :][:4] == _END_MAGIC and tail.endswith(b"\0\0") else tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise ArchiveError("This is no ZIP file.", "Pack the mod's folder into a ZIP file.")
    _, _, _, _, entries, directory, _, _ = _END.unpack_from(tail, at)
    file.seek(max(0, size - len(tail) + at - 20))
    if file.read(20)[:4] == _ZIP64_LOCATOR:
        raise ArchiveError("The archive is in the ZIP64 format.", "Pack it without; it is meant for larger archives.")
    _judge_count(entries)
    if directory > _DIRECTORY_MAX:
        raise ArchiveError(
            f"The list of what is in the archive is larger than {_DIRECTORY_MAX >> 20} MiB.", "Use shorter names."
        )
    file.seek(0)


def _judge_count(entries: int) -> None:
    if entries == 0:
        raise ArchiveError("The archive is empty.", "Pack the mod's folder into it.")
    if entries > ENTRIES_MAX:
        raise ArchiveError(f"The archive has more than {ENTRIES_MAX:,} entries.", "Split it into several mods.")


def _judge_size(infos: Sequence[zipfile.ZipInfo], packed: int) -> None:
    _judge_count(len(infos))
    if sum(info.file_size for info in infos) > UNPACKED_MAX:
        raise _too_large()
    placed = sorted(infos, key=lambda info: info.header_offset)
    if placed[0].header_offset < 0:
        raise ArchiveError("The archive is damaged: its beginning is missing.")
    ends = [info.header_offset + 30 + info.compress_size for info in placed]
    starts = [*(info.header_offset for info in placed[1:]), packed]
    if any(end > start for end, start in zip(ends, starts, strict=True)):
        raise ArchiveError("Entries of the archive overlap: that is how a small file becomes a huge one.")


def _members(infos: Sequence[zipfile.ZipInfo]) -> Iterator[Member]:
    files: set[str] = set()
    folders: set[str] = set()
    for info in infos:
        path = _path(info.orig_filename)
        is_folder = info.orig_filename.endswith("/")
        _judge_kind(info, path, is_folder=is_folder)
        key = folded(path)
        parents = {key[:at] for at, letter in enumerate(key) if letter == "/"}
        if key in files or (key in folders and not is_folder) or parents & files:
            raise ArchiveError(
                f"`{shown(path)}` is in the archive twice.", "Some systems take `A` and `a` for the same name."
            )
        folders |= {key, *parents} if is_folder else parents
        if not is_folder:
            files.add(key)
            yield Member(path, info)


def shown(path: str) -> str:
    """A path that somebody else chose, for the middle of a sentence, between two backticks."""
    return "".join(letter if letter.isprintable() and letter != "`" else "?" for letter in path)[:100]


def folded(path: str) -> str:
    """A path as a file system compares it that knows no upper and lower case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _judge_kind(info: zipfile.ZipInfo, path: str, *, is_folder: bool) -> None:
    mode = info.external_attr >> 16
    regular = stat.S_IFMT(mode) in (0, stat.S_IFDIR if is_folder else stat.S_IFREG)
    if not regular or info.external_attr & _REPARSE_POINT or (is_folder and info.file_size):
        what = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
        raise ArchiveError(f"`{shown(path)}` in the archive is {what}.", "Put the file itself in its place.")
    if info.flag_bits & _ENCRYPTED:
        raise ArchiveError(f"`{shown(path)}` in the archive is encrypted.", "Pack it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveError(
            f"`{shown(path)}` is packed with an unusual method.", "Pack it with the usual one, `deflate`."
        )


def _path(raw: str) -> str:
    """The path of an entry, normalised; a folder's without the slash at its end."""
    path = unicodedata.normalize("NFC", raw).removesuffix("/")
    parts = path.split("/")
    if raw.startswith("/") or "\\" in path or ":" in path or any(part in ("", ".", "..") for part in parts):
        raise ArchiveError(f"`{shown(path)}` in the archive leads out of its folder.", "Use plain relative paths.")
    if not path.isprintable() or len(path) > PATH_MAX or any(len(part.encode()) > 255 for part in parts):
        raise ArchiveError(f"`{shown(path)}` in the archive is no usable file name.", "Give it a plain, shorter name.")
    return path


def _too_much(path: str) -> ArchiveError:
    return ArchiveError(
        f"`{shown(path)}` unpacks to more than {RATIO_MAX} times its size.", "That is how ZIP bombs look."
    )


def _too_large() -> ArchiveError:
    return ArchiveError(f"The archive unpacks to more than {UNPACKED_MAX >> 30} GiB.", "Split it into several mods.")
