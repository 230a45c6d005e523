"""Files that must not be half written, nor read by others."""

import os
from pathlib import Path


def make_private(directory: Path) -> None:
    """Make a directory that only its owner may enter."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a file of ours (0600): a reader finds the old one or the new one; a power cut, too, where `durable`."""
    _replace(path, text, 0o600, durable=durable)


def write_beside(path: Path, text: str) -> None:
    """Replace a file of a game's: keeps its mode and owner, 0600 for a new one, since it may hold a password."""
    try:
        old = path.stat()
    except FileNotFoundError:
        _replace(path, text, 0o600)
    else:
        _replace(path, text, old.st_mode & 0o777, (old.st_uid, old.st_gid))


def sync(path: Path) -> None:
    """A file's content, or the names in a directory, outlive a power cut from here on."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(top: Path) -> None:
    """The same for all that is below a directory, or for one file."""
    for folder, _, files in os.walk(top):
        for name in files:
            sync(Path(folder, name))
        sync(Path(folder))
    if top.is_file():
        sync(top)


def _replace(path: Path, text: str, mode: int, owner: tuple[int, int] | None = None, *, durable: bool = True) -> None:
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(fd, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            os.fchown(fd, *owner)
        os.fchmod(fd, mode)
        file.write(text)
        file.flush()
        if durable:
            os.fsync(fd)
    new.replace(path)
