"""Reading a log from where an earlier reading ended, whatever became of its files meanwhile.

`logs.Follower` looks for what comes next in a running game. A trail also knows, and can be given, where it is: so every
line is read once, over the agent's own restarts and over rotation, and those of a game that begins its log anew.
"""

import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from agent.runtime.logs import LINE_MAX
from games.resolved import ResolvedTemplate

FILES_MAX: Final = 16
"""The newest files of a log are looked at; a game may never remove its old ones."""
_REMEMBERED: Final = 2 * FILES_MAX
"""Files that were read to the end: more than are looked at, or they would take turns for ever."""
_HEAD: Final = 256
_LINE_KEPT: Final = LINE_MAX + (4 << 10)
"""Bytes of a line: more than a record takes, so that whoever cuts it sees that, and a secret whole."""
_READ_MAX: Final = 64 << 10
"""Bytes taken at once: even of the shortest lines these are not too many records."""


class Place(BaseModel):
    """A place in a file. `head` is a checksum of how the file begins: an inode number is given to a new file soon."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inode: int
    offset: int
    head: int

    @classmethod
    def at(cls, inode: int, offset: int, head: bytes) -> "Place":
        return cls(inode=inode, offset=offset, head=zlib.crc32(head[: min(offset, _HEAD)]))

    def is_in(self, path: Path) -> bool:
        """Is it the same file still, with all that was read of it?"""
        try:
            if path.stat().st_ino != self.inode:
                return False
            with path.open("rb") as file:
                head, size = file.read(_HEAD), os.fstat(file.fileno()).st_size
        except OSError:
            return False
        return size >= self.offset and zlib.crc32(head[: min(self.offset, _HEAD)]) == self.head


class Position(BaseModel):
    """How far a log was read. No place: its next file is read from the beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    place: Place | None = None
    finished: tuple[Place, ...] = ()
    """The ends of files that are older."""

    def moved(self, place: Place) -> "Position":
        return Position(place=place, finished=self.finished)

    def left(self) -> "Position":
        """Its file is of no use any more."""
        if self.place is None:
            return self
        return Position(finished=(*self.finished, self.place)[-_REMEMBERED:])


@dataclass(frozen=True)
class Line:
    """A line of a log, and where the next one begins."""

    text: str
    end: Position


def files_of(resolved: ResolvedTemplate, output: Path) -> Callable[[], list[Path]]:
    """Finds the files of a game's log, oldest first: its own, or what the keeper writes of its output."""
    pattern = resolved.log_glob
    if pattern is None:
        return lambda: _rotated(output)
    return lambda: sorted((path for path in map(Path, glob(pattern)) if path.is_file()), key=_modified)


def _rotated(path: Path) -> list[Path]:
    older = [path.with_name(f"{path.name}.{number}") for number in range(FILES_MAX - 1, 0, -1)]
    return [one for one in (*older, path) if one.is_file()]  # a pipe would be waited for


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def end_of(files: Sequence[Path]) -> Position:
    """Behind everything that is in these files already."""
    places = [place for path in files if (place := _end(path)) is not None]
    return Position(place=places[-1], finished=tuple(places[:-1])) if places else Position()


def before_start(files: Sequence[Path], inode: int, offset: int) -> Position:
    """Behind what the keeper had written when it started the game last; nothing is, where it never did."""
    for number, path in enumerate(files):
        end = _end(path)
        if end is not None and end.inode == inode:
            return end_of(files[:number]).left().moved(Place.at(inode, offset, _head(path)))
    return end_of(files) if inode else Position()


def older_than(files: Sequence[Path], started_at: float) -> Position:
    """Behind the files that were last written before this time (seconds since the epoch)."""
    return end_of([path for path in files if _modified(path) < started_at]).left()


def _end(path: Path) -> Place | None:
    try:
        with path.open("rb") as file:
            head, status = file.read(_HEAD), os.fstat(file.fileno())
    except OSError:
        return None
    return Place.at(status.st_ino, status.st_size, head)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


class Trail:
    """Reads the lines after a position. With `joined`, a line may begin in one file and end in the next."""

    def __init__(self, files: Callable[[], list[Path]], position: Position, *, joined: bool) -> None:
        self._files = files
        self._joined = joined
        self._position = position
        self._rest = b""
        self._skipping = False

    def read(self) -> list[Line]:
        """The lines that were completed since the last call, those of one file at most; call until there are none."""
        while True:
            files = self._files()[-FILES_MAX:]  # before reading: what has a newer one beside it now is complete
            known = self._known(files)
            if known is None and (last := self._leave()):
                return last
            path = known or self._next(files)
            if path is None:
                return []
            lines, more = self._read(path)
            if lines:
                return lines
            if not more and path == files[-1]:
                return []
            if not more and (last := self._leave()):
                return last

    def endangered(self) -> bool:
        """Is the next line in the oldest of several files, or in one that is gone?"""
        files = self._files()[-FILES_MAX:]
        return len(files) > 1 and self._known(files) in (None, files[0])

    def _known(self, files: Sequence[Path]) -> Path | None:
        place = self._position.place
        return next((path for path in files if place is not None and place.is_in(path)), None)

    def _next(self, files: Sequence[Path]) -> Path | None:
        """The oldest file that was not read."""
        new = (path for path in files if (end := _end(path)) is not None and end.offset)
        done = self._position.finished
        return next((path for path in new if not any(one.is_in(path) for one in done)), None)

    def _read(self, path: Path) -> tuple[list[Line], bool]:
        """Complete lines, and whether anything at all was read."""
        try:
            with path.open("rb") as file:
                head, inode = file.read(_HEAD), os.fstat(file.fileno()).st_ino
                offset = file.seek(self._position.place.offset if self._position.place else 0)
                data = file.read(_READ_MAX)
        except OSError:
            return [], False
        lines = [
            Line(text, self._position.moved(Place.at(inode, offset + end, head))) for text, end in self._split(data)
        ]
        self._position = self._position.moved(Place.at(inode, offset + len(data), head))
        return lines, bool(data)

    def _split(self, data: bytes) -> Iterator[tuple[str, int]]:
        """Lines, and where each ends in `data`."""
        begin = 0
        while (newline := data.find(b"\n", begin)) >= 0:
            line, begin = self._rest + data[begin:newline], newline + 1
            self._rest = b""
            if self._skipping:
                self._skipping = False
            else:
                yield _text(line), begin
        self._rest += data[begin:]
        if self._skipping:
            self._rest = b""
        elif len(self._rest) > _LINE_KEPT:
            yield _text(self._rest), len(data)
            self._rest, self._skipping = b"", True

    def _leave(self) -> list[Line]:
        """Its file was read to the end, or is gone: on to the next one. A last line without an end may go on there."""
        self._position = self._position.left()
        if self._joined or not self._rest:
            return []
        rest, self._rest, self._skipping = self._rest, b"", False
        return [Line(_text(rest), self._position)]


def _text(line: bytes) -> str:
    return line[:_LINE_KEPT].rstrip(b"\r").decode("utf-8", "replace")
