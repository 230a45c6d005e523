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
PREFIX: Final = "gamekeeper-demo-"
LOCK: Final = "demo.lock"


@contextlib.contextmanager
def workplace(data_dir: Path) -> Iterator[Path]:
    """An empty directory for this demo. The second demo on one data directory gets a temporary one.

    Game servers that a killed demo left behind are ended first.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    _sweep()
    with contextlib.ExitStack() as stack:
        if _held(stack, data_dir / f"{WORK}.lock"):
            place = data_dir / WORK
            end_all_below(place)
            empty(place)
        else:
            place = Path(tempfile.mkdtemp(prefix=PREFIX))
            stack.callback(empty, place, again=False)
            _held(stack, place / LOCK)
        place.chmod(0o711)  # PostgreSQL may run as another user and has to pass through
        yield place


def _held(stack: contextlib.ExitStack, path: Path) -> bool:
    """Take the lock until `stack` unwinds; False when another demo has it."""
    file = stack.enter_context(path.open("a"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sweep() -> None:
    """Clear away the temporary places of demos that were killed: nobody else will."""
    for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        ours = not place.is_symlink() and place.stat().st_uid == os.geteuid() and (place / LOCK).exists()
        with contextlib.ExitStack() as stack:
            if ours and _held(stack, place / LOCK):
                end_all_below(place)
                empty(place, again=False)


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
