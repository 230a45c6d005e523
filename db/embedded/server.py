"""Starts, watches and stops a PostgreSQL server that belongs to this process and ends with it."""

import asyncio
import atexit
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from bot import clock
from bot.errors import Unavailable
from db.embedded import programs
from db.embedded.account import account_for, check_reachable
from db.embedded.cluster import PORT, Cluster
from db.embedded.locks import InUse, Ownership, clear_stale, is_server
from db.embedded.paths import Paths, make_parents

log = logging.getLogger(__name__)

_READY_SECONDS: Final = 60.0
_ATTACH_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 30.0
_LONGEST_DELAY: Final = 10.0
_CHILDREN_LEFT: Final = "pre-existing shared memory block"


class EmbeddedPostgres:
    """The server of one data directory.

    `data` is PostgreSQL's own directory; its log, its lock and, where needed, a copy of the programs lie beside it.
    `settings` are those of postgresql.conf. `bindir` names another PostgreSQL than the wheel's, 15 or newer."""

    def __init__(self, data: Path, *, settings: Mapping[str, str] | None = None, bindir: Path | None = None) -> None:
        self.paths = Paths(data.resolve())
        self.settings = dict(settings or {})
        self._bindir = bindir
        self._ownership = Ownership(self.paths)
        self._cluster: Cluster | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def attach(cls, data: Path) -> Self:
        """A server that another process runs, for a command beside it.

        Raises:
            Unavailable: none runs there.
        """
        server = cls(data)
        end = time.monotonic() + _ATTACH_SECONDS
        while not server._ready(None):
            if time.monotonic() > end:
                raise Unavailable(f"No database runs in {server.paths.data}.", "Start Gamekeeper first.")
            time.sleep(0.02)
        return server

    @classmethod
    @contextmanager
    def borrow(cls, data: Path) -> Generator[Self]:
        """The server of this data, for the length of one command: the running one, else one of our own."""
        server = cls(data)
        try:
            server.start()
        except InUse:
            server = cls.attach(data)
        try:
            yield server
        finally:
            server.stop()

    def dsn(self, database: str = "gamekeeper") -> str:
        """The URL of a database of this server; creates nothing."""
        return f"postgresql://postgres@/{quote(database)}?host={quote(str(self.paths.socket))}&port={PORT}"

    @property
    def pid(self) -> int | None:
        """The server's process, where it is ours."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Makes the data directory where there is none, starts the server and returns when it answers.

        Raises:
            Conflict: another process has it, or the data is of another version or owner.
            Unavailable: it cannot live there, or does not start; with what it said.
        """
        if threading.current_thread() is not threading.main_thread():
            # the kernel ends the server when the thread that started it ends
            raise AssertionError("the embedded PostgreSQL is started on the main thread")
        try:
            self._start()
        except OSError as error:
            raise Unavailable(
                f"The database cannot live in {self.paths.data}: {error.strerror or error}"
                + (f" ({error.filename})." if error.filename else "."),
                "Make room or put it right, or choose another GAMEKEEPER_DATA_DIR.",
            ) from error
        if sys.platform != "linux":
            atexit.register(self.stop)

    def _start(self) -> None:
        account = account_for(self.paths.data)
        check_reachable(self.paths.data, account)
        self._take()
        try:
            bindir = self._bindir or programs.find(account, self.paths.data.parent)
            self._cluster = Cluster(self.paths, account, bindir, self.settings)
            self._cluster.prepare()
            self._process = self._cluster.spawn()
            for _ in self._until_ready():
                time.sleep(0.01)
        except BaseException:
            self.stop()
            raise

    def create_database(self, name: str = "gamekeeper") -> None:
        """Creates a database unless it exists."""
        bindir = self._cluster.programs if self._cluster else self._found_programs()
        where = ["-h", str(self.paths.socket), "-p", str(PORT), "-U", "postgres"]
        answer = subprocess.run(
            [bindir / "createdb", *where, name],
            check=False,
            capture_output=True,
            text=True,
            env=programs.clean_environment(),
        )
        if answer.returncode and "already exists" not in answer.stderr:
            raise Unavailable(f"The database {name} could not be created: {answer.stderr.strip()}")

    def stop(self) -> None:
        """Ends the server, waits for it and lets others own the data. Does nothing to a server that is not ours."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait(_STOP_SECONDS)
        self._ownership.release()

    async def watch(self) -> None:
        """Starts the server again whenever it dies, until it is stopped. Runs on the main thread's event loop."""
        delay = 0.1
        while (process := self._process) is not None:
            if process.poll() is None:  # else it died while it was starting, and has been waited for
                await clock.idle(_end_of(process.pid), "the embedded PostgreSQL runs")
            if self._process is not process:
                return
            log.error("PostgreSQL ended (%s), starting it again", process.wait())
            try:
                await self._start_again()
            except (Unavailable, OSError) as error:
                log.error("PostgreSQL could not be started again: %s", error)
                await asyncio.sleep(delay)
                delay = min(_LONGEST_DELAY, delay * 2)
            else:
                delay = 0.1

    async def _start_again(self) -> None:
        await asyncio.to_thread(clear_stale, self.paths)
        if self._cluster is None or self._process is None:
            return
        self._process = self._cluster.spawn()
        for _ in self._until_ready():
            await asyncio.sleep(0.01)

    def _take(self) -> None:
        try:
            make_parents(self.paths.data)
            self._ownership.take()
        except PermissionError as error:
            raise Unavailable(
                f"The database cannot live in {self.paths.data}: we may not write to {error.filename}.",
                "Choose another GAMEKEEPER_DATA_DIR.",
            ) from error

    def _until_ready(self) -> Iterator[None]:
        end = time.monotonic() + _READY_SECONDS
        while self._process is not None and self._cluster is not None and not self._ready(self._process.pid):
            if time.monotonic() > end:
                raise Unavailable("PostgreSQL did not become ready within a minute.", f"See {self.paths.log}.")
            if self._process.poll() is not None:
                words = self._last_words()
                if _CHILDREN_LEFT not in words:
                    raise Unavailable(f"PostgreSQL did not start: {words}", f"See {self.paths.log}.")
                # the children of a killed server notice within moments
                self._process = self._cluster.spawn()
            yield

    def _ready(self, pid: int | None) -> bool:
        """Does the server (of that number) answer? Its lock file says so in the eighth line."""
        try:
            lines = self.paths.pid_file.read_text().splitlines()
        except FileNotFoundError:
            return False
        if len(lines) < 8 or lines[7].strip() != "ready":
            return False
        return int(lines[0]) == pid if pid is not None else is_server(int(lines[0]), self.paths.data)

    def _last_words(self) -> str:
        lines = self.paths.log.read_text(errors="replace").splitlines()
        return next((line for line in reversed(lines) if "FATAL" in line), "it said nothing")

    def _found_programs(self) -> Path:
        return self._bindir or programs.find(account_for(self.paths.data), self.paths.data.parent)


async def _end_of(pid: int) -> None:
    """Returns when the child has ended; it is still there to be waited for."""
    descriptor = os.pidfd_open(pid)
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
