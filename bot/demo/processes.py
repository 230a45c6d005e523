"""Processes that the demo starts and ends: each by its id, none by its name."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

PR_SET_PDEATHSIG: Final = 1


def _end_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return in_child


def start(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own, with its output in `log`. On Linux it is told to end when we die.

    Call it from the main thread: the kernel watches the thread that forked.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(env or {})},
            preexec_fn=_end_with(os.getpid()) if sys.platform == "linux" else None,  # noqa: PLW1509  # one prctl, no lock
        )


def stop(process: "subprocess.Popen[bytes]", grace: float = 5.0) -> None:
    """Ask a program to end, then insist."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def below(directory: Path) -> Iterator[psutil.Process]:
    """What runs in `directory` or was started for it: the keepers and games of a demo, adopted by nobody else."""
    root = f"{directory.resolve()}{os.sep}"
    for process in psutil.process_iter():
        try:
            places = [process.cwd(), *process.cmdline()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(f"{place}{os.sep}".startswith(root) for place in places):
            yield process


def end_all_below(directory: Path, grace: float = 5.0) -> int:
    """End what still runs for this directory, and say how many there were. psutil compares start times too."""
    found = list(below(directory))
    for process in found:
        _signal(process, signal.SIGTERM)
    _, alive = psutil.wait_procs(found, timeout=grace)
    for process in alive:
        _signal(process, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=grace)
    return len(found)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
