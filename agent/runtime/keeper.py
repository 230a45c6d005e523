"""Keeps one game server running when nobody else does: starts it, pumps its output into a log, records how it ended.

    python -I keeper.py DIR start     start what DIR/launch.json describes
    python -I keeper.py DIR attach    keep again the game that DIR/state.json names

One keeper per game, in a session of its own, with the standard library only, so that it outlives the agent and its
upgrades. It decides nothing: it sends no signals and starts nothing again. The game holds both its pipes open for
reading and writing, so neither the agent's death nor the keeper's gives it an end of input or SIGPIPE; without a
keeper it waits once 64 KiB of output are unread, until `attach` comes.

Files in DIR (mode 0700):
    launch.json   read and removed by `start`; a file and not arguments, since these may hold secrets
    lock          held while a keeper lives; there is never a second one
    stdin stdout  the game's pipes
    log log.1 …   its output, rotated by rename
    state.json    which process the game is, and which its keeper
    exit.json     how it ended; absent while it runs
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, NoReturn

LOCK_WAIT: Final = 2.0
"""Seconds that a keeper waits for the one before it, which may still be writing down how its game ended."""
CHUNK: Final = 1 << 16
DRAIN_MAX: Final = 64
"""Chunks read after the game's end. A process that it left behind could go on writing for ever."""
REAP_EVERY_MS: Final = 30_000
PR_SET_CHILD_SUBREAPER: Final = 36
IGNORED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
DEFAULT_IN_GAME: Final = (*IGNORED, signal.SIGPIPE, signal.SIGXFSZ)
"""Python ignores the last two itself, and what is ignored stays ignored across exec."""


class Identity(NamedTuple):
    """A process that no later one can be mistaken for: its start in ticks since boot, and which boot that was."""

    pid: int
    ticks: int
    boot_id: str


def identify(pid: int) -> Identity | None:
    """Who has this process id now; None for nobody, and for one that is dead but not yet collected."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name in parentheses may itself contain spaces and parentheses.
            fields = file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else Identity(pid, int(fields[19]), boot_id())


def boot_id() -> str:
    """Which boot of this machine it is."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def put(path: str, value: Mapping[str, Any]) -> None:
    """Replace a JSON file so that a reader, and a power cut, find the old one or the new one."""
    with open(path + ".new", "w", encoding="utf-8", opener=_private) as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class Log:
    """The game's output in `log`, older parts in `log.1`, `log.2` …"""

    def __init__(self, limit: int, files: int) -> None:
        self._limit, self._files = limit, files
        self._open()

    def write(self, data: bytes) -> None:
        """Never fails: on a full disk the output is lost, for a game that blocks would be worse."""
        with contextlib.suppress(OSError):
            if self._size and self._size + len(data) > self._limit:
                self._rotate()
            self._size += os.write(self._fd, data)

    def position(self) -> list[int]:
        """Where the next output goes: the file's inode and the offset in it."""
        return [os.fstat(self._fd).st_ino, self._size]

    def _open(self) -> None:
        self._fd = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        full = self._fd
        for number in range(self._files - 1, 0, -1):
            newer = f"log.{number - 1}" if number > 1 else "log"
            if os.path.exists(newer):
                os.replace(newer, f"log.{number}")
        if self._files == 1:
            os.unlink("log")
        self._open()
        os.close(full)  # only now: where the new file cannot be opened, the old one goes on


class Pipes:
    """The game's two pipes, made anew at each start so that nothing left over from an earlier game is in them."""

    def __init__(self, *, anew: bool) -> None:
        for name in ("stdin", "stdout"):
            if anew and os.path.exists(name):
                os.unlink(name)
            if not os.path.exists(name):
                os.mkfifo(name, 0o600)
        self.stdin, self.stdout = (os.open(name, os.O_RDWR | os.O_CLOEXEC) for name in ("stdin", "stdout"))
        # A description of our own: O_NONBLOCK must not reach the game. `stdout` stays open, or poll would spin on a
        # hang-up when the game closes its output.
        self.reader = os.open("stdout", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)

    def read(self) -> bytes:
        try:
            return os.read(self.reader, CHUNK)
        except BlockingIOError:
            return b""


def start(launch: Mapping[str, Any], pipes: Pipes, started: Callable[[int], None]) -> int:
    """Start the game and return its process id. Raises OSError when its directory or program cannot be used.

    The child waits until `started` has written down who it is, and gives up if we die before: a game that runs without
    a record would never be found again.
    """
    go_read, go_write = os.pipe2(os.O_CLOEXEC)
    error_read, error_write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(go_write)
        _become_game(launch, pipes, go_read, error_write)
    os.close(go_read)
    os.close(error_write)
    started(pid)
    os.write(go_write, b"1")
    os.close(go_write)
    with os.fdopen(error_read, encoding="utf-8") as file:
        error = file.read()  # ends at the child's exec
    if error:
        os.waitpid(pid, 0)
        raise OSError(*json.loads(error))
    return pid


def _become_game(launch: Mapping[str, Any], pipes: Pipes, go: int, error_pipe: int) -> NoReturn:
    try:
        if os.read(go, 1):
            _exec(launch, pipes)
    except OSError as error:
        os.write(error_pipe, json.dumps([error.errno, error.strerror, error.filename]).encode())
    finally:
        os._exit(127)


def _exec(launch: Mapping[str, Any], pipes: Pipes) -> None:
    os.setsid()
    for number in DEFAULT_IN_GAME:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.chdir(launch["cwd"])
    stdin = pipes.stdin if launch["stdin"] else os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    for source, target in ((stdin, 0), (pipes.stdout, 1), (pipes.stdout, 2)):
        os.dup2(source, target)
    argv = launch["argv"]
    try:
        os.execvpe(argv[0], argv, launch["env"])
    except OSError as error:
        raise OSError(error.errno, error.strerror, argv[0]) from None


def keep(game: Identity, pipes: Pipes, log: Log) -> None:
    """Pump until the game has ended."""
    watch = _watch(game)
    if watch is not None:
        poll = select.poll()
        poll.register(pipes.reader, select.POLLIN)
        poll.register(watch, select.POLLIN)
        while not any(fd == watch for fd, _ in poll.poll(REAP_EVERY_MS)):
            log.write(pipes.read())
            _reap_orphans(game.pid)
    for _ in range(DRAIN_MAX):
        data = pipes.read()
        if not data:
            break
        log.write(data)


def _watch(game: Identity) -> int | None:
    try:
        watch = os.pidfd_open(game.pid)
    except ProcessLookupError:
        return None
    return watch if identify(game.pid) == game else None  # checked after opening: the number may be somebody else's now


def _reap_orphans(game: int) -> None:
    """Collect what the game's own children left behind; the game itself is collected at the end."""
    try:
        while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if found.si_pid == game:
                return
            os.waitpid(found.si_pid, 0)
    except ChildProcessError:
        return


def _lock() -> None:
    lock = os.open("lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)  # open until we end
    deadline = time.monotonic() + LOCK_WAIT
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _say(**answer: object) -> None:
    """Tell whoever started us, once, and then let go of their pipe."""
    with contextlib.suppress(OSError):  # they died meanwhile
        os.write(1, json.dumps(answer).encode() + b"\n")
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 1)


def _record(game: Identity, log: Log, launch: Mapping[str, Any], **more: object) -> dict[str, Any]:
    return {"game": game, "keeper": identify(os.getpid()), "log": launch["log"], "log_from": log.position(), **more}


def run_new() -> None:
    """Start what launch.json describes and keep it to its end."""
    with open("launch.json", encoding="utf-8") as file:
        launch = json.load(file)
    os.unlink("launch.json")
    pipes, log = Pipes(anew=True), Log(*launch["log"])
    if os.path.exists("exit.json"):
        os.unlink("exit.json")
    games: list[Identity] = []

    def started(pid: int) -> None:
        game = identify(pid)
        if game is None:
            raise ChildProcessError(pid)
        games.append(game)
        put("state.json", _record(game, log, launch, started_at=time.time()))

    try:
        pid = start(launch, pipes, started)
    except OSError as error:
        _say(failed=[error.errno, error.strerror, error.filename])
        _ended(games[0] if games else None, code=None, signal=None, failed=True)
        return
    os.close(pipes.stdin)  # so that writing to a game that is gone is an error
    _say(started=True)
    keep(games[0], pipes, log)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    _ended(games[0], code=code if code >= 0 else None, signal=-code if code < 0 else None)


def run_again() -> None:
    """Keep a game that lost its keeper. It is not our child, so its exit code stays unknown."""
    with open("state.json", encoding="utf-8") as file:
        state = json.load(file)
    game = Identity(*state["game"])
    pipes, log = Pipes(anew=False), Log(*state["log"])
    os.close(pipes.stdin)
    with contextlib.suppress(OSError):  # a full disk: the game's output must be read all the same
        put("state.json", {**state, "keeper": identify(os.getpid())})
    _say(started=True)
    keep(game, pipes, log)
    if not os.path.exists("exit.json"):
        _ended(game, code=None, signal=None)


def _ended(game: Identity | None, *, code: int | None, signal: int | None, failed: bool = False) -> None:
    """`failed`: it never ran. Neither code nor signal: nobody knows how it ended."""
    put("exit.json", {"game": game, "code": code, "signal": signal, "failed": failed, "at": time.time()})


def main(directory: str, verb: str) -> None:
    os.chdir(directory)
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # what the game leaves behind ends up with us
    try:
        _lock()
    except BlockingIOError:
        _say(failed=[None, "it has a keeper already", directory])
        return
    {"start": run_new, "attach": run_again}[verb]()


if __name__ == "__main__":
    main(*sys.argv[1:])
