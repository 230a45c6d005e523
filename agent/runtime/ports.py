"""Is the console's port free for the game that is about to start?"""

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable
from typing import Final

import psutil

from agent.errors import TaskFailed
from games.resolved import ResolvedTemplate

LINGER: Final = 65.0
"""Seconds that a closed connection may keep a port of Linux occupied."""
LOOK_EVERY: Final = 0.5


def is_free(resolved: ResolvedTemplate) -> bool:
    """Could a game that does not ask for reuse (Teeworlds does not) listen there now?"""
    console = resolved.console
    if console is None:
        return True
    with socket.socket() as probe:
        try:
            probe.bind((console.host, console.port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


async def wait_free(resolved: ResolvedTemplate, waiting: Callable[[], Awaitable[None]]) -> None:
    """Wait for what lingers of an earlier run; `waiting` is called once if that takes time.

    Raises `TaskFailed` when somebody listens there: they would be sent the console's password.
    """
    if is_free(resolved):
        return
    await _refuse_listener(resolved)
    await waiting()
    for _ in range(int(LINGER / LOOK_EVERY)):
        if is_free(resolved):
            break
        await asyncio.sleep(LOOK_EVERY)
    await _refuse_listener(resolved)


async def _refuse_listener(resolved: ResolvedTemplate) -> None:
    port = resolved.console.port if resolved.console else 0
    if await asyncio.to_thread(_listened_to, port):
        raise TaskFailed(f"Port {port}, where its console belongs, is in use by another program on this host.")


def _listened_to(port: int) -> bool:
    sockets = psutil.net_connections("tcp")
    return any(one.laddr and one.laddr.port == port and one.status == psutil.CONN_LISTEN for one in sockets)
