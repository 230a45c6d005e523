"""A PostgreSQL as it runs in production: the embedded server with its default settings, so every commit is durable."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from db.embedded import EmbeddedPostgres


@contextmanager
def running() -> Iterator[EmbeddedPostgres]:
    """A server on disk, empty; stopped and removed at the end."""
    directory = Path(tempfile.mkdtemp(prefix="gamekeeper-bench-"))
    directory.chmod(0o755)  # as root, the server runs as somebody else
    server = EmbeddedPostgres(directory / "postgres")
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def stalled(server: EmbeddedPostgres) -> Iterator[None]:
    """Lets the server stand still: it keeps its connections and answers nothing, as on a disk that hangs."""
    if server.pid is None:
        raise LookupError("only a server of our own can be stopped")
    postmaster = psutil.Process(server.pid)
    family = [process.pid for process in (postmaster, *postmaster.children(recursive=True))]
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in family:
            os.kill(pid, signal.SIGCONT)
