"""A place for data, and processes that own servers in it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from db.embedded.locks import is_server
from tests.database import open_directory

#: What was committed survives a kill; only the machine may not lose its power.
SAFE = {"fsync": "off"}

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="run as root: it is about giving root's rights away")
AS_ROOT = [ROOT, pytest.mark.may_skip(reason="an ordinary user cannot become somebody else")]


@dataclass
class Owner:
    """Another process, and what it said."""

    process: subprocess.Popen[str]
    answer: str

    @property
    def server_pid(self) -> int:
        return int(self.answer.removeprefix("ready "))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> None:
        if self.process.poll() is None:
            assert self.process.stdin
            self.process.stdin.close()
            self.process.wait(30)


@pytest.fixture
def home() -> Iterator[Path]:
    with open_directory(in_memory=True) as directory:
        yield directory


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    """Not started yet."""
    found = EmbeddedPostgres(home / "postgres", settings=SAFE)
    yield found
    found.stop()


StartOwner = Callable[..., Owner]


@pytest.fixture
def owner() -> Iterator[StartOwner]:
    """Starts a process that owns the server of some data."""
    started: list[Owner] = []

    def start(data: Path, *options: str, path: Path | None = None) -> Owner:
        environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.db.embedded.owner", str(data), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert process.stdout
        started.append(Owner(process, process.stdout.readline().strip()))
        return started[-1]

    yield start
    for one in started:
        one.end()


def gone(pid: int, data: Path, seconds: float = 20) -> bool:
    """Does the server of that number end by itself?"""
    end = time.monotonic() + seconds
    while is_server(pid, data.resolve()):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def sql(server: EmbeddedPostgres, statement: str, database: str = "postgres") -> str:
    """Asks with the psql of this machine or of the wheel."""
    psql = shutil.which("psql") or "psql"
    done = subprocess.run([psql, "-Atc", statement, server.dsn(database)], capture_output=True, text=True, check=True)
    return done.stdout.strip()
