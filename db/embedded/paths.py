"""Where the data, its socket, its log and its locks lie."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

from bot.errors import Conflict
from db.embedded.account import Account

_SOCKET_PATH_BYTES: Final = 90
"""PostgreSQL refuses socket paths beyond 107 bytes; the socket's own name takes 17."""
_PLAIN: Final = re.compile(r"[\w./+=~ -]+", re.ASCII)
_LARGE_LOG: Final = 10 * 2**20


def default_data_directory() -> Path:
    """Gamekeeper's data where nobody chose a place: a system's for root, a person's otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/gamekeeper")
    return platformdirs.user_data_path("gamekeeper")


@dataclass(frozen=True)
class Paths:
    """What belongs to one data directory. All but the socket lie beside it."""

    data: Path

    @property
    def lock(self) -> Path:
        """Held by the process that owns the server."""
        return self.data.with_name(self.data.name + ".lock")

    @property
    def log(self) -> Path:
        return self.data.with_name(self.data.name + ".log")

    @property
    def unfinished(self) -> Path:
        """Exists while the data directory is being made: what it holds then is worth nothing."""
        return self.data.with_name(self.data.name + ".unfinished")

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    @property
    def socket(self) -> Path:
        """The data directory itself, or a short stand-in where its path is too long or too odd for a socket."""
        path = str(self.data)
        if len(os.fsencode(path)) <= _SOCKET_PATH_BYTES and _PLAIN.fullmatch(path):
            return self.data
        parent = Path("/run") if os.geteuid() == 0 and os.access("/run", os.W_OK) else Path("/tmp")  # noqa: S108 - checked by `prepare_socket`
        return parent / f"gamekeeper-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}"


def make_parents(path: Path) -> None:
    """Creates the missing parents, passable for every user whatever the umask."""
    missing = [parent for parent in path.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        parent.chmod(0o755)


def make_private(directory: Path, account: Account) -> None:
    """Creates a directory that only the server's user can open."""
    if not directory.exists():
        directory.mkdir(mode=0o700, exist_ok=True)
        close_to_others(directory, account)


def close_to_others(directory: Path, account: Account) -> None:
    """Gives a directory to the server's user alone."""
    account.own(directory)
    directory.chmod(0o700)


def prepare_socket(directory: Path, account: Account) -> None:
    """Makes the stand-in for a long path.

    Raises:
        Conflict: somebody else made it first; below /tmp anybody can.
    """
    make_private(directory, account)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid:
        raise Conflict(
            f"{directory} belongs to somebody else, so the database cannot put its socket there.",
            "Remove it, or choose a shorter GAMEKEEPER_DATA_DIR.",
        )


def open_log(path: Path) -> int:
    """A descriptor of the server's log, readable for the owner and their group. A large one is kept as `.1`."""
    if path.exists() and path.stat().st_size > _LARGE_LOG:
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.fchmod(descriptor, 0o640)
    return descriptor
