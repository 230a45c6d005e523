"""Signals and waiting by pidfd: what is reached is the process that was meant, or nothing."""

import asyncio
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager

from agent.runtime.keeper import Identity, identify


def is_alive(process: Identity) -> bool:
    """Does exactly this process still run? One that is dead but not collected does not."""
    return identify(process.pid) == process


def send(process: Identity, number: signal.Signals) -> bool:
    """Send a signal; False when the process is gone, whoever has its number now."""
    with _opened(process) as fd:
        if fd is None:
            return False
        try:
            signal.pidfd_send_signal(fd, number)
        except ProcessLookupError:
            return False
        return True


async def gone(process: Identity, timeout: float) -> bool:
    """Wait up to `timeout` seconds for the end of a process."""
    with _opened(process) as fd:
        if fd is None:
            return True
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(fd, ended.set)
        try:
            async with asyncio.timeout(timeout):
                await ended.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(fd)
        return True


@contextmanager
def _opened(process: Identity) -> Generator[int | None, None, None]:
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        # Checked after opening: from here on the descriptor means this process, whatever becomes of its number.
        yield fd if is_alive(process) else None
    finally:
        os.close(fd)
