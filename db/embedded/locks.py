"""Who uses a data directory: one owner among our processes, and what a crash has left behind."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from bot.errors import Conflict
from db.embedded.paths import Paths

_PATIENCE: Final = 20.0
"""Seconds for a server to end whose owner has just died."""
_PROC: Final = Path("/proc")


class InUse(Conflict):
    """Another process runs the server of this data."""


class Ownership:
    """At most one process runs the server of some data. The kernel ends it with the process, however that ends."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._descriptor: int | None = None

    def take(self) -> None:
        """Raises `InUse` where another process has it."""
        descriptor = os.open(self._paths.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            os.close(descriptor)
            raise InUse(
                f"Gamekeeper already runs on {self._paths.data.parent}" + (f" (process {holder})." if holder else "."),
                "Stop it first, or give this one another GAMEKEEPER_DATA_DIR.",
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def clear_stale(paths: Paths) -> None:
    """Makes way for a start after a crash. Nobody is ever signalled: the number in a lock file may be anybody's by now.

    Call it as the owner: a server that still runs has then lost its own owner, and is ending. PostgreSQL would take a
    zombie or a reused number for a living server, and we the word "ready" of yesterday's file for today's.

    Raises:
        Conflict: it does not end; somebody started it by hand.
    """
    for lock in (paths.pid_file, *paths.socket.glob(".s.PGSQL.*.lock")):
        end = time.monotonic() + _PATIENCE
        while (pid := _first_number(lock)) is not None and is_server(pid, paths.data):
            if time.monotonic() > end:
                raise Conflict(f"PostgreSQL process {pid} is using {paths.data}.", f"Stop it: kill -INT {pid}")
            time.sleep(0.02)
        lock.unlink(missing_ok=True)


def is_server(pid: int, data: Path) -> bool:
    """Is this living process a PostgreSQL on that data?"""
    try:
        state = (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
        arguments = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.basename(arguments[0]) == b"postgres" and os.fsencode(data) in arguments


def _first_number(lock: Path) -> int | None:
    try:
        return abs(int(lock.read_text().split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return None
