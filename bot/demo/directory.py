"""Where a demo keeps its things: a directory that is emptied at each start, another for a second demo beside it."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.demo.processes import end_all_below
from bot.errors import Conflict

WORK: Final = "demo"
"""The directory below the data directory; everything in it is thrown away."""


@contextlib.contextmanager
def workplace(data_dir: Path) -> Iterator[Path]:
    """An empty directory for this demo. The second demo on one data directory gets a temporary one.

    Game servers that a killed demo left behind are ended first.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        lock = stack.enter_context((data_dir / f"{WORK}.lock").open("a"))
        if _locked(lock.fileno()):
            place = data_dir / WORK
            end_all_below(place)
            empty(place)
        else:
            place = Path(tempfile.mkdtemp(prefix="gamekeeper-demo-"))
            stack.callback(empty, place, again=False)
        place.chmod(0o711)  # PostgreSQL may run as another user and has to pass through
        yield place


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def empty(place: Path, *, again: bool = True) -> None:
    """Remove a demo's directory and, unless told otherwise, make it anew. Raises `Conflict` where that cannot be."""
    if place.is_symlink():
        raise Conflict(f"{place} is a symbolic link, and a demo empties its directory.", "Remove the link.")
    if place.exists():
        shutil.rmtree(place, onerror=lambda _function, path, _info: os.path.lexists(path) and _complain(path))
    if again:
        place.mkdir(mode=0o711)


def _complain(path: str) -> None:
    raise Conflict(f"{path} cannot be removed, and a demo starts in an empty directory.", "Remove it yourself.")
