"""The server's log: one record to the file and to everybody who listens."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

Listener = Callable[[str], None]


class Journal:
    """Records `2024-08-24T20:26:29 294.729 INF message`: local time, then seconds since the start."""

    def __init__(self, path: Path | None) -> None:
        """`path` None or `-` writes to stdout. An older file is replaced, as Unity does."""
        self._started = time.monotonic()
        self._file = self._open(path)
        self.listeners: list[Listener] = []

    def info(self, message: str, *, listeners: bool = True) -> None:
        """Set `listeners` to False for what only the file may show."""
        self._record("INF", message, listeners=listeners)

    def warning(self, message: str) -> None:
        self._record("WRN", message)

    def error(self, message: str) -> None:
        self._record("ERR", message)

    def exception(self, message: str, trace: tuple[str, ...] = ()) -> None:
        """A record with a stack trace: its lines are parted by a bare line feed."""
        self._record("EXC", "\n".join((message, *(f"  at {line}" for line in trace))))

    def noise(self, line: str) -> None:
        """What Unity itself prints: no prefix, and the file alone gets it."""
        self._write(line)

    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def close(self) -> None:
        if self._file is not sys.stdout:
            self._file.close()

    def _record(self, level: str, message: str, *, listeners: bool = True) -> None:
        record = f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {self.uptime():.3f} {level} {message}"
        self._write(record)
        if listeners:
            for listener in self.listeners:
                listener(record)

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()

    @staticmethod
    def _open(path: Path | None) -> TextIO:
        if path is None or str(path) == "-":
            return sys.stdout
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("w", encoding="utf-8", errors="replace", newline="\n")
