"""Files of mods on disk, named after their content: written once, never changed, shared by all orgs.

A file counts only under the name of its own sha256, which it gets when all of it is on the disk. What lies in
`incoming` is either being received or was left behind by a process that died.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar
from uuid import uuid4

from bot import clock
from bot.errors import Invalid, Unavailable
from games.archives import PACKED_MAX

P = ParamSpec("P")
T = TypeVar("T")

LEFT_BEHIND: Final = 3600.0
"""Seconds after which a file in `incoming` belongs to nobody any more."""
UNUSED_FOR: Final = 24 * 3600.0
"""Seconds for which a kept file stays although nothing names it: its row may be on the way."""
_TOO_LARGE: Final = f"The file is larger than {PACKED_MAX >> 20} MiB."


def too_large() -> Invalid:
    """What is said of a file beyond the limit, before or while it is received."""
    return Invalid(_TOO_LARGE, "Make it smaller, or split it into several mods.")


@dataclass(frozen=True)
class Received:
    """A whole file that nobody has judged yet."""

    path: Path
    size: int
    sha256: str


class ArtifactStore:
    """A directory of files. All replicas of the bot need the same one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @asynccontextmanager
    async def receiving(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[Received]:
        """Takes a file in; it is gone afterwards unless it was kept.

        Raises:
            Invalid: it is larger than `PACKED_MAX`.
            Unavailable: it cannot be written.
        """
        path = await self._written(self._new)
        try:
            yield await self._receive(path, chunks)
        finally:
            path.unlink(missing_ok=True)

    async def _receive(self, path: Path, chunks: AsyncIterable[bytes]) -> Received:
        digest, size = hashlib.sha256(), 0
        with await self._written(_opened, path) as file:
            async for chunk in chunks:
                size += len(chunk)
                if size > PACKED_MAX:
                    raise too_large()
                digest.update(chunk)
                await self._written(file.write, chunk)
            await self._written(_settle, file)
        return Received(path, size, digest.hexdigest())

    async def keep(self, received: Received) -> str:
        """Gives a received file the name under which it counts: the reference that `path` takes.

        Raises:
            Unavailable: it cannot be written.
        """
        await self._written(self._keep, received)
        return received.sha256

    def path(self, ref: str) -> Path:
        """Where a kept file lies."""
        return self._directory / ref[:2] / ref

    async def old(self) -> list[str]:
        """References of the files that were kept longer than `UNUSED_FOR` ago."""
        return await self._written(self._old)

    async def drop(self, refs: Iterable[str]) -> int:
        """Removes files, unless somebody has just kept them anew; how many."""
        return await self._written(self._drop, list(refs))

    def _old(self) -> list[str]:
        files = self._directory.glob(f"{'[0-9a-f]' * 2}/{'[0-9a-f]' * 64}")
        return [file.name for file in files if self._is_old(file)]

    def _drop(self, refs: list[str]) -> int:
        dropped = [self.path(ref) for ref in refs if self._is_old(self.path(ref))]
        for path in dropped:
            path.unlink(missing_ok=True)
        return len(dropped)

    @staticmethod
    def _is_old(path: Path) -> bool:
        try:
            return clock.now().timestamp() - path.stat().st_mtime > UNUSED_FOR
        except FileNotFoundError:  # another process has removed it
            return False

    @staticmethod
    async def _written(work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(work, *args, **options)
        except OSError as error:
            raise Unavailable(
                f"The file cannot be stored: {error.strerror}.", "Tell whoever runs the bot; nothing was kept."
            ) from error

    def _new(self) -> Path:
        incoming = self._directory / "incoming"
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep(incoming)
        return incoming / uuid4().hex

    def _keep(self, received: Received) -> None:
        target = self.path(received.sha256)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        # an existing file has this very content; putting the new one in its place mends one that a disk has damaged
        received.path.replace(target)
        for directory in (target.parent, self._directory):
            _settle_directory(directory)

    @staticmethod
    def _sweep(incoming: Path) -> None:
        """Removes what dead processes left. Done when a file comes: then the room is needed."""
        for path in incoming.iterdir():
            try:
                if clock.now().timestamp() - path.stat().st_mtime > LEFT_BEHIND:
                    path.unlink()
            except FileNotFoundError:
                continue  # its process has ended with it


def _opened(path: Path) -> BinaryIO:
    return path.open("xb")


def _settle(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _settle_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
