"""The imitated 7 Days to Die server, installed into a directory and run from the shipped template."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import install
from games import config_files
from games.catalog import GameTemplate
from games.resolved import ResolvedTemplate
from tests.games.teeworlds_server import free_port


def resolve(
    template: GameTemplate, directory: Path, *, properties: Mapping[str, str] | None = None, **values: str
) -> ResolvedTemplate:
    """With fresh secrets and free ports, its own file changed as the agent changes it, then by `properties`."""
    install(directory)
    ports = {"port": str(free_port()), "telnet_port": str(free_port())}
    resolved = template.resolve(directory, {**template.new_secrets(), **ports, **values})
    for file in resolved.config_files:
        old = file.path.read_text(encoding="utf-8")
        new = config_files.write(file.format, old, {**file.settings, **(properties or {})})
        file.path.write_text(new, encoding="utf-8")
    return resolved


@contextlib.asynccontextmanager
async def starting(resolved: ResolvedTemplate, start_seconds: float) -> AsyncIterator[None]:
    """The server's process, from its start to killed by its own pid."""
    env = {**resolved.env, "SEVENDAYS_START_SECONDS": str(start_seconds), "SEVENDAYS_FRAME_SECONDS": "0.002"}
    with (resolved.directory / "stdout.log").open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            *resolved.argv, cwd=resolved.cwd, env=env, stdout=out, stderr=out
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextlib.asynccontextmanager
async def running(resolved: ResolvedTemplate) -> AsyncIterator[AsyncControl]:
    """The same from ready on."""
    async with starting(resolved, start_seconds=0.1):
        control = AsyncControl(resolved.directory)
        await control.wait_ready()
        yield control
