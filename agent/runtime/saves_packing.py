"""An archive of files that a game goes on writing to: whole on the disk, or not there at all."""

import contextlib
import errno
import fnmatch
import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from agent.errors import TaskFailed
from agent.files import make_private, sync

SPARE: Final = 64 << 20
"""Bytes that are left free on the disk: a game that finds none may lose what it saves next."""
_CHUNK: Final = 1 << 20
_LEVEL: Final = 3
"""Of compression; higher ones take the game's processor for little."""
_NO_FILE: Final = frozenset({errno.ELOOP, errno.ENXIO})
"""It is a link, or a socket."""


class Stopped(Exception):
    """Somebody wants this no more."""


@dataclass(frozen=True)
class Packed:
    """An archive that was read back."""

    size_bytes: int
    sha256: str
    files: int
    changed: int


@dataclass(frozen=True)
class Content:
    """What goes into an archive: below `home`, these paths, without these names."""

    home: Path
    paths: tuple[Path, ...]
    exclude: tuple[str, ...] = ()

    def walk(self) -> Iterator[tuple[int, str, str]]:
        """Regular files as (open directory, name in it, path below `home`). No link is followed, whoever makes one
        meanwhile."""
        for top in self.paths:
            where, name = top.parent, top.name
            if top.is_symlink() or not where.resolve().is_relative_to(self.home.resolve()):
                raise TaskFailed(f"{top.name} is reached through a symbolic link out of its directory; not packed.")
            yield from self._below(where, name)

    def _below(self, where: Path, name: str) -> Iterator[tuple[int, str, str]]:
        try:
            mode = (where / name).lstat().st_mode
        except FileNotFoundError:
            return
        if stat.S_ISREG(mode):
            yield from self._single(where, name)
        elif stat.S_ISDIR(mode):
            for folder, folders, names, at in os.fwalk(where / name, onerror=_unread, follow_symlinks=False):
                folders[:] = sorted(one for one in folders if self._wanted(one))
                inside = Path(folder).relative_to(self.home)
                yield from ((at, one, str(inside / one)) for one in sorted(names) if self._wanted(one))

    def _single(self, where: Path, name: str) -> Iterator[tuple[int, str, str]]:
        at = os.open(where, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield at, name, str((where / name).relative_to(self.home))
        finally:
            os.close(at)

    def _wanted(self, name: str) -> bool:
        return not any(fnmatch.fnmatchcase(name, pattern) for pattern in self.exclude)

    def size(self) -> int:
        """Bytes of all that is there now."""
        total = 0
        for at, name, _ in self.walk():
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=at, follow_symlinks=False)
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
        return total


class Packing:
    """One archive, from the files to its name: `fits`, `write`, `finish`, each in a thread; `stop` from any other, and
    `discard` unless it was wanted to the end."""

    def __init__(self, content: Content, target: Path) -> None:
        self._content, self._target = content, target
        self._part = part_of(target)
        self._stopped = threading.Event()
        self._files = self._changed = 0
        self._sha256 = ""

    def stop(self) -> None:
        """Ends the work soon; nothing of it stays."""
        self._stopped.set()

    def write(self) -> None:
        """Packs the files, under a name that says that it is not whole.

        Raises:
            TaskFailed: there is nothing to pack, or no room for it.
            Stopped, OSError
        """
        self._must_fit()
        self._files, self._changed, self._sha256 = self._write()
        if not self._files:
            raise TaskFailed("There is nothing to back up: the game has saved nothing yet.")

    def finish(self) -> Packed:
        """Reads the archive back and gives it its name.

        Raises:
            TaskFailed: it is not what was written.
            Stopped, OSError
        """
        self._verify(self._files, self._sha256)
        size = self._part.stat().st_size
        self._part.replace(self._target)
        sync(self._target.parent)
        return Packed(size, self._sha256, self._files, self._changed)

    def discard(self) -> None:
        """Leaves nothing of it."""
        for path in (self._part, self._target):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def fits(self) -> bool:
        """Whether there is room for all of it as it lies there: how well it packs nobody knows yet."""
        needed, free = self._room()
        return needed + SPARE <= free

    def _room(self) -> tuple[int, int]:
        """Bytes that it may take, and that are free."""
        make_private(self._target.parent)
        return self._content.size(), self._free()

    def _must_fit(self) -> None:
        """Before anything is written."""
        needed, free = self._room()
        if needed + SPARE > free:
            raise TaskFailed(
                f"There is no room for it on the host: it may take {_mb(needed)}, and {_mb(free)} are free. Nothing "
                "was packed. Make room, or keep fewer backups."
            )

    def _free(self) -> int:
        return shutil.disk_usage(self._target.parent).free

    def _write(self) -> tuple[int, int, str]:
        self._part.unlink(missing_ok=True)
        fd = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as raw:
            hashed = _Hashed(raw)
            through = cast("IO[bytes]", hashed)
            with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=through, mtime=0) as packed:
                files, changed = self._fill(packed)
            raw.flush()
            os.fsync(raw.fileno())
        return files, changed, hashed.digest.hexdigest()

    def _fill(self, packed: gzip.GzipFile) -> tuple[int, int]:
        files = changed = 0
        with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for at, name, path in self._content.walk():
                self._look()
                added, same = self._add(archive, at, name, path)
                files += added
                changed += not same
        return files, changed

    def _add(self, archive: tarfile.TarFile, at: int, name: str, path: str) -> tuple[bool, bool]:
        """Whether it was packed, and whether it stayed as it was. What is no file is left out."""
        try:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
        except OSError as error:
            if error.errno in (errno.ENOENT, *_NO_FILE):
                return False, error.errno != errno.ENOENT
            raise
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                return False, True
            info = tarfile.TarInfo(path)
            info.size, info.mtime, info.mode = found.st_size, int(found.st_mtime), found.st_mode & 0o777
            exactly = _Exactly(file, info.size, self._look)
            archive.addfile(info, cast("IO[bytes]", exactly))
            after = os.fstat(fd)
        same = (after.st_mtime_ns, after.st_size) == (found.st_mtime_ns, found.st_size)
        return True, same and not exactly.short

    def _look(self) -> None:
        """Between two pieces: does anybody want it still, and is there room?"""
        if self._stopped.is_set():
            raise Stopped
        if self._free() < SPARE // 2:
            raise TaskFailed("The host's disk became full meanwhile. Nothing of the backup was kept; make room first.")

    def _verify(self, files: int, sha256: str) -> None:
        """What is on the disk is what was written, and can be unpacked."""
        digest = hashlib.sha256()
        with self._part.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                if self._stopped.is_set():
                    raise Stopped
        found = 0
        try:
            with tarfile.open(self._part, mode="r|gz", bufsize=_CHUNK) as archive:
                for _ in archive:
                    found += 1
                    if self._stopped.is_set():
                        raise Stopped
        except (tarfile.TarError, EOFError, gzip.BadGzipFile) as error:
            raise TaskFailed("What was written to the disk cannot be read back. Nothing was kept.") from error
        if (found, digest.hexdigest()) != (files, sha256):
            raise TaskFailed("What was written to the disk came back different. Nothing was kept.")


class _Hashed:
    """A file that is written from its beginning to its end."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._raw.write(data)

    def flush(self) -> None:
        self._raw.flush()


class _Exactly:
    """A file as long as it was at first: of one that was cut off meanwhile the rest is zeros, what was added is left
    out."""

    def __init__(self, file: BinaryIO, size: int, look: Callable[[], None]) -> None:
        self._file, self._left, self._look = file, size, look
        self.short = False

    def read(self, size: int) -> bytes:
        self._look()
        wanted = min(size, self._left)
        found = self._file.read(wanted)
        self._left -= wanted
        self.short = self.short or len(found) < wanted
        return found.ljust(wanted, b"\0")


def _unread(error: OSError) -> None:
    """A directory that went away meanwhile is left out; one that cannot be read would be missing without a word."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def part_of(target: Path) -> Path:
    """Where an archive is while it is not whole."""
    return target.with_name(f"{target.name}.part")


def _mb(size: int) -> str:
    return f"{-(-size // (1 << 20)):,} MiB"
