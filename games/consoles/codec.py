"""Bytes <-> records of a line console. Pure: any split of the same bytes gives the same records."""

from typing import Final

from games.patterns import RECORD_MAX

_ENCODING: Final = "utf-8"


class RecordSplitter:
    """Cuts a stream at `end`. Knows nothing of sockets; what is longer than `RECORD_MAX` bytes loses its tail."""

    def __init__(self, end: str, strip: tuple[str, ...] = ()) -> None:
        """`strip`: characters to drop wherever they come; none of them is in `end`."""
        self._end = end.encode()
        self._strip = "".join(strip).encode()
        self._head = b""  # the beginning of a record whose end has not come; its last bytes wait in `_buffer`
        self._buffer = b""

    def feed(self, data: bytes) -> list[str]:
        """The records that these bytes complete."""
        self._buffer += data.translate(None, self._strip)
        *whole, self._buffer = self._buffer.split(self._end)
        records = [self._record(piece) for piece in whole]
        self._shorten()
        return records

    def _record(self, piece: bytes) -> str:
        content, self._head = (self._head + piece)[:RECORD_MAX], b""
        return content.decode(_ENCODING, errors="replace")

    def _shorten(self) -> None:
        """Only the last bytes can still begin an end; the rest is settled, and kept as far as it counts."""
        settled = max(0, len(self._buffer) - (len(self._end) - 1))
        self._head = (self._head + self._buffer[:settled])[:RECORD_MAX]
        self._buffer = self._buffer[settled:]


def encode_line(line: str) -> bytes:
    """A line as it goes out. The caller has made sure that it is one."""
    return line.encode(_ENCODING) + b"\n"
