"""A game's process as the agent sees it, through the keeper's directory (see `keeper`)."""

import asyncio
import errno
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from agent.errors import TaskFailed
from agent.files import make_private, write_private
from agent.runtime import keeper, signals, tree
from agent.runtime.keeper import Identity
from agent.runtime.logs import tail

KEEPER_ANSWERS: Final = 15.0
"""Seconds until a keeper must have said whether the game runs."""
RECORD_WAIT: Final = 3.0
"""Seconds between a game's end and its record; the keeper first reads what is left of the output."""
ATTACH_EVERY: Final = 10.0
"""Seconds between two attempts: where a keeper cannot live, another one cannot either."""
KILL_WAIT: Final = 10.0
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Launch:
    """What to run. The environment is complete: nothing of the agent's own reaches the game."""

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stdin: bool = True
    """False: the game reads an empty input."""
    log_bytes: int = 8 << 20
    log_files: int = 5


@dataclass(frozen=True)
class Exit:
    """How a game ended."""

    game: Identity | None
    code: int | None
    signal: int | None
    at: float
    """Seconds since the epoch."""
    failed: bool = False
    """It never ran."""

    @property
    def clean(self) -> bool:
        """It ended of its own accord and says that all is well."""
        return self.code == 0

    def __str__(self) -> str:
        if self.failed:
            return "could not be started"
        if self.signal is not None:
            return f"ended by {_signal_name(self.signal)}"
        return "ended, exit code unknown" if self.code is None else f"exited with code {self.code}"


class GameProcess:
    """One game's process, kept by a keeper in `directory`. Finds again what an earlier agent started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._keeper: subprocess.Popen[bytes] | None = None
        self._meter = tree.Meter()
        self._attached = 0.0

    @property
    def game(self) -> Identity | None:
        """The process started last, running or not."""
        return _identity(self._state().get("game"))

    @property
    def alive(self) -> bool:
        """Does the game run?"""
        game = self.game
        return game is not None and signals.is_alive(game)

    @property
    def kept(self) -> bool:
        """Does somebody read its output?"""
        if self._keeper is not None:
            self._keeper.poll()  # collects it when it has ended
        own = self._keeper_identity()
        return own is not None and signals.is_alive(own)

    @property
    def needs_keeper(self) -> bool:
        """Nobody reads its output, and the last attempt to change that is long enough ago."""
        return not self.kept and time.monotonic() - self._attached > ATTACH_EVERY

    @property
    def started_at(self) -> float | None:
        """Seconds since the epoch."""
        return self._state().get("started_at")

    @property
    def log(self) -> Path:
        """What the game writes to its output."""
        return self.directory / "log"

    @property
    def log_from(self) -> tuple[int, int]:
        """Where in the log the last start begins: inode and offset."""
        inode, offset = self._state().get("log_from", (0, 0))
        return inode, offset

    async def start(self, launch: Launch) -> Identity:
        """Start the game; returns when it runs. Raises `TaskFailed` with the reason why it does not."""
        make_private(self.directory)
        plan = {
            "argv": [str(part) for part in launch.argv],
            "cwd": str(launch.cwd),
            "env": dict(launch.env),
            "stdin": launch.stdin,
            "log": [launch.log_bytes, launch.log_files],
        }
        write_private(self.directory / "launch.json", json.dumps(plan))
        answer = await asyncio.to_thread(self._spawn, "start")
        if "failed" in answer:
            raise TaskFailed(_why(launch, *answer["failed"]))
        if (game := self.game) is None:
            raise TaskFailed(f"The keeper of this game left no record in {self.directory}.")
        return game

    async def attach(self) -> None:
        """Give a game whose keeper died a new one. One that has ended meanwhile gets its exit record."""
        self._attached = time.monotonic()
        await asyncio.to_thread(self._spawn, "attach")

    async def ended(self) -> Exit:
        """How it ended. Call it when the game is gone."""
        deadline = time.monotonic() + RECORD_WAIT
        while (record := self.exit()) is None and time.monotonic() < deadline:
            if self.needs_keeper:
                await self.attach()
            await asyncio.sleep(0.02)
        return record or Exit(self.game, None, None, time.time())

    def exit(self) -> Exit | None:
        """The record of the last end, None while it runs."""
        record = self._read("exit.json")
        if not record:
            return None
        game = _identity(record["game"])
        return Exit(game, record["code"], record["signal"], record["at"], record["failed"])

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal to the game itself; False when it is gone."""
        game = self.game
        return game is not None and signals.send(game, number)

    async def kill(self) -> None:
        """End it and everything below it at once. Raises `TaskFailed` when even that does not work."""
        for member in self.members():
            signals.send(member, signal.SIGKILL)
        if not await self.gone(KILL_WAIT):
            raise TaskFailed("SIGKILL was sent, but the process hangs in the kernel and is still there.")
        await self.ended()

    async def gone(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for its end."""
        game = self.game
        return game is None or await signals.gone(game, timeout)

    def members(self) -> list[Identity]:
        """The game and every process below it, those included that lost their parent and ended up with the keeper."""
        game, own = self.game, self._keeper_identity()
        if game is None or not signals.is_alive(game):
            return []
        adopted = tree.members(own)[1:] if own else []
        return list(dict.fromkeys([*tree.members(game), *adopted]))

    def usage(self) -> tree.Usage:
        """What the game and every process below it use."""
        return self._meter.read(self.members())

    def write(self, line: str) -> None:
        """Type a line into the game's input. Raises `TaskFailed` when nobody reads there."""
        try:
            fd = os.open(self.directory / "stdin", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENXIO):
                raise
            raise TaskFailed("The game does not run, so its input reaches nobody.") from None
        try:
            os.write(fd, f"{line}\n".encode())
        except BlockingIOError:
            raise TaskFailed("The game does not read its input.") from None
        finally:
            os.close(fd)

    def tail(self, lines: int = 20) -> list[str]:
        """The last lines that it wrote."""
        return tail(self.log, lines)

    def _spawn(self, verb: str) -> dict[str, Any]:
        answers, answer = os.pipe2(os.O_CLOEXEC)
        with open(self.directory / "keeper.err", "ab") as errors, open(answer, "wb") as pipe:
            command = [sys.executable, "-I", keeper.__file__, str(self.directory), verb]
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=errors,
                cwd="/",
                env={"PATH": PATH, "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        line = _first_line(answers)
        return json.loads(line) if line else {"failed": [None, f"its keeper gave no answer, see {errors.name}", None]}

    def _keeper_identity(self) -> Identity | None:
        return _identity(self._state().get("keeper"))

    def _state(self) -> dict[str, Any]:
        return self._read("state.json")

    def _read(self, name: str) -> dict[str, Any]:
        """Raises `TaskFailed` for a damaged file: taken for an empty one, it would let a second game start."""
        path = self.directory / name
        try:
            found = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise TaskFailed(f"{path} is damaged: end the game if it still runs, then remove that file.")
        return cast(dict[str, Any], found)


def _first_line(fd: int) -> bytes:
    with open(fd, "rb") as file:
        readable, _, _ = select.select([file], [], [], KEEPER_ANSWERS)
        return file.readline() if readable else b""


def _identity(value: Any) -> Identity | None:
    return Identity(*value) if value else None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _why(launch: Launch, number: int | None, text: str, name: str | None) -> str:
    program = launch.argv[0]
    if name == str(launch.cwd):
        return f"The game cannot be started in {name}: {text}."
    match number:
        case errno.ENOENT:
            return f"The game cannot be started: {program} is not there, or needs an interpreter that is not."
        case errno.EACCES:
            return f"The game cannot be started: {program} may not be executed by the agent's user."
        case errno.ENOEXEC:
            return f"The game cannot be started: {program} is not a program for this machine."
        case _:
            return f"The game cannot be started: {text}."
