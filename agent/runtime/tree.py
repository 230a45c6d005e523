"""The processes below a game: what they use, and what is left of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from agent.runtime.keeper import Identity, identify


@dataclass(frozen=True)
class Usage:
    cpu_percent: float | None
    """Of one core, since the last time somebody asked; None the first time."""
    memory_mb: float


def members(process: Identity) -> list[Identity]:
    """The process and its descendants, as they are now."""
    if identify(process.pid) != process:
        return []
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [process, *(found for child in below if (found := identify(child.pid)))]


class Meter:
    """Measures what a game uses. CPU is a difference, so it remembers the last reading."""

    def __init__(self) -> None:
        self._cpu: dict[Identity, float] = {}
        self._at = 0.0

    def read(self, processes: Sequence[Identity]) -> Usage:
        """What these processes use together."""
        now, cpu, memory = time.monotonic(), dict[Identity, float](), 0
        for process in processes:
            try:
                with (one := psutil.Process(process.pid)).oneshot():
                    times = one.cpu_times()
                    cpu[process] = times.user + times.system
                    memory += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        used = sum(seconds - self._cpu.get(process, 0.0) for process, seconds in cpu.items())
        percent = round(100 * used / (now - self._at), 1) if self._cpu and now > self._at else None
        self._cpu, self._at = cpu, now
        return Usage(percent, round(memory / 1024**2, 1))
