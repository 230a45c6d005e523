"""Reading a game's log while it is written, rotated or begun anew."""

import os
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Final

READ_MAX: Final = 1 << 20
"""Bytes taken at once; whoever follows a log comes back for the rest."""
LINE_MAX: Final = 16 << 10


class Follower:
    """The lines that are appended to a log from now on.

    `find` names the file in use: it may change, be replaced by a new one of the same name, or be cut to nothing.
    """

    def __init__(self, find: Callable[[], Path | None], *, inode: int = 0, offset: int = 0) -> None:
        self._find = find
        self._file: BufferedReader | None = None
        self._rest = b""
        self._open(find())
        if self._file is not None and os.fstat(self._file.fileno()).st_ino == inode:
            self._file.seek(offset)

    @classmethod
    def from_end(cls, find: Callable[[], Path | None]) -> "Follower":
        """Follow from here: nothing that is in the file already."""
        follower = cls(find)
        if follower._file is not None:
            follower._file.seek(0, os.SEEK_END)
        return follower

    def lines(self) -> list[str]:
        """Complete lines since the last call; an over-long one comes in pieces."""
        *lines, self._rest = (self._rest + self._read()).split(b"\n")
        if len(self._rest) > LINE_MAX:
            lines, self._rest = [*lines, self._rest], b""
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines]

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _read(self) -> bytes:
        if self._file is None:
            self._open(self._find())
        if self._file is None:
            return b""
        data = self._file.read(READ_MAX)
        return data or self._next(self._file)

    def _next(self, file: BufferedReader) -> bytes:
        """At the end of the open file: was it cut, or is another one in use now?"""
        mine, current = os.fstat(file.fileno()), self._find()
        if mine.st_size < file.tell():
            file.seek(0)
            return file.read(READ_MAX)
        if current is not None and _inode(current) not in (None, mine.st_ino):
            self._open(current)
            return self._file.read(READ_MAX) if self._file else b""
        return b""

    def _open(self, path: Path | None) -> None:
        self.close()
        if path is not None:
            try:
                self._file = path.open("rb")
            except (FileNotFoundError, PermissionError):
                self._file = None


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def tail(path: Path, lines: int) -> list[str]:
    """The last lines of a log, at most 64 KiB of it."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - (64 << 10)))
            found = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    return found[-lines:]
