"""The data directory as PostgreSQL sees it: made once, of one major version, served by one process."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import Conflict, Unavailable
from db.embedded import programs
from db.embedded.account import Account
from db.embedded.locks import clear_stale
from db.embedded.paths import Paths, close_to_others, make_private, open_log, prepare_socket

PORT: Final = 5432
"""Part of the socket's name only: nothing listens on the network."""
_PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True)
class Cluster:
    """What it takes to run a server on some data."""

    paths: Paths
    account: Account
    programs: Path
    settings: Mapping[str, str]

    def prepare(self) -> None:
        """Makes the data directory unless it is there, and clears away what a crash has left.

        Raises:
            Conflict: it holds something else, or data of another version.
            Unavailable: it cannot be made; with what initdb said.
        """
        make_private(self.paths.data, self.account)
        if self.paths.socket != self.paths.data:
            prepare_socket(self.paths.socket, self.account)
        clear_stale(self.paths)
        version = programs.major_version(self.programs)
        if self.paths.unfinished.exists() or not any(self.paths.data.iterdir()):
            self._initialise(version)
        self._check(version)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts the server; it is not ready yet."""
        fixed = {"listen_addresses": "", "port": str(PORT), "unix_socket_directories": f'"{self.paths.socket}"'}
        options = [f"--{name}={value}" for name, value in {**self.settings, **fixed}.items()]
        output = open_log(self.paths.log)
        try:
            return subprocess.Popen(
                [str(self.programs / "postgres"), "-D", str(self.paths.data), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=programs.clean_environment(),
                start_new_session=True,
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - the only way to set it; it takes no lock
                user=self.account.user,
                group=self.account.group,
                extra_groups=self.account.groups,
            )
        finally:
            os.close(output)

    def _initialise(self, version: int) -> None:
        # a crash in the middle leaves the marker, so that half a directory is never taken for a whole one
        self.paths.unfinished.touch()
        close_to_others(self.paths.data, self.account)
        for entry in self.paths.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        locale = ["--locale-provider=builtin"] if version >= programs.BUILTIN_LOCALE_SINCE else []
        durable = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        options = ["-U", "postgres", "--encoding=UTF8", *locale, "--locale=C.UTF-8", *durable]
        options += ["--auth-local=trust", "--auth-host=scram-sha-256"]
        done = subprocess.run(
            [str(self.programs / "initdb"), "-D", str(self.paths.data), *options],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            env=programs.clean_environment(),
            user=self.account.user,
            group=self.account.group,
            extra_groups=self.account.groups,
        )
        if done.returncode:
            raise Unavailable(
                f"PostgreSQL could not make {self.paths.data}: {done.stderr.strip()}",
                "Put that right, or choose another GAMEKEEPER_DATA_DIR.",
            )
        self.paths.unfinished.unlink()

    def _check(self, version: int) -> None:
        try:
            found = (self.paths.data / "PG_VERSION").read_text(errors="replace").strip()
        except FileNotFoundError:
            raise Conflict(
                f"{self.paths.data} is not empty and holds no database.", "Choose another GAMEKEEPER_DATA_DIR."
            ) from None
        if found != str(version):
            raise Conflict(
                f"{self.paths.data} was made by PostgreSQL {found}, this one is {version}.",
                "Move it away and restore your last backup, or use the version of Gamekeeper that made it.",
            )


def _end_with_parent() -> Callable[[], None] | None:
    """For the child, after it has changed its user so that the flag survives: it ends when we do, however we end."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)

    return child
