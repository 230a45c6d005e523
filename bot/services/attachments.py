"""Files that an answer carries: written piece by piece to the disk, and never larger than Discord takes.

A file that is too large is sent compressed; one that is too large even so is refused as soon as that shows. None has a
name on the disk, so nothing stays behind, whatever ends an interaction.
"""

import asyncio
import gzip
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BufferedRandom
from typing import Final

from bot.errors import Invalid, Unavailable

_LEVEL: Final = 6


@dataclass(frozen=True)
class Attachment:
    """A finished file, at its beginning."""

    name: str
    content: BufferedRandom
    size: int
    """Bytes."""


class _Draft:
    """The same content plain and compressed, the former for as long as it fits."""

    def __init__(self, limit: int, remedy: str) -> None:
        self._limit, self._remedy = limit, remedy
        self._plain: BufferedRandom | None = _unnamed()
        self._packed = _unnamed()
        # no name and no time in it: the same content is the same file
        self._packer = gzip.GzipFile("", "wb", _LEVEL, self._packed, 0)

    def write(self, piece: bytes) -> None:
        self._packer.write(piece)
        if self._plain and self._plain.tell() + len(piece) > self._limit:
            self._plain.close()
            self._plain = None
        if self._plain:
            self._plain.write(piece)
        self._check()

    def finish(self, name: str) -> Attachment:
        self._packer.close()
        self._check()
        done, name = (self._plain, name) if self._plain else (self._packed, f"{name}.gz")
        if self._plain:
            self._packed.close()
        size = done.tell()
        done.seek(0)
        return Attachment(name, done, size)

    def _check(self) -> None:
        if self._plain is None and self._packed.tell() > self._limit:
            size = f"{self._limit >> 20} MiB"
            raise Invalid(f"That is more than the {size} that Discord takes here, even compressed.", self._remedy)


async def written(
    name: str, pieces: AsyncIterator[bytes], limit: int, remedy: str = "Choose a shorter time."
) -> Attachment:
    """A file with this content, of at most `limit` bytes; `.gz` is added to its name where it had to be compressed.

    Raises:
        Invalid: it is too large even so; with the remedy.
        Unavailable: there is no room for it.
    """
    try:
        draft = await asyncio.to_thread(_Draft, limit, remedy)
        async for piece in pieces:
            await asyncio.to_thread(draft.write, piece)
        return await asyncio.to_thread(draft.finish, name)
    except OSError as error:
        raise Unavailable(f"The file could not be written: {error.strerror}.", "Try again later.") from error


def _unnamed() -> BufferedRandom:
    return tempfile.TemporaryFile()
