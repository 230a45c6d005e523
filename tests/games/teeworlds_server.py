"""A real Teeworlds server, run from its template on free ports in a directory of its own."""

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from games import config_files
from games.catalog import GameTemplate
from games.resolved import ResolvedTemplate

PROGRAM = "/usr/games/teeworlds-server"
MISSING = "install the Debian package teeworlds-server"


def free_port() -> int:
    """A TCP port that nobody listens on; UDP is as free on a machine that runs only tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installed() -> bool:
    return shutil.which(PROGRAM) is not None


def resolve(template: GameTemplate, directory: Path, values: Mapping[str, str]) -> ResolvedTemplate:
    """With fresh secrets, free ports, and its files written."""
    ports = {"port": str(free_port()), "econ_port": str(free_port())}
    resolved = template.resolve(directory, {**template.new_secrets(), **ports, **values})
    for file in resolved.config_files:
        file.path.write_text(config_files.write(file.format, "", file.settings), encoding="utf-8")
    return resolved


@contextlib.asynccontextmanager
async def running(resolved: ResolvedTemplate) -> AsyncIterator[asyncio.subprocess.Process]:
    """The server's process; its log is `out.log` in its directory. Killed by its own pid in the end."""
    log = resolved.directory / "out.log"
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *resolved.argv, cwd=resolved.cwd, env=dict(resolved.env), stdout=out, stderr=out
        )
    try:
        async with asyncio.timeout(10):
            while b"server name is" not in log.read_bytes():
                await asyncio.sleep(0.02)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
