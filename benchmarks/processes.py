"""The programs under measurement, each a process of its own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parent.parent
_PATIENCE: Final = 60.0
_LAST_WORDS: Final = 3000
"""Characters of what a process wrote that are shown when a measurement fails."""


@dataclass(frozen=True)
class Program:
    """A running process."""

    process: asyncio.subprocess.Process

    async def until(self, event: asyncio.Event) -> None:
        """Waits for something that this process has to bring about.

        Raises:
            RuntimeError: it ended, or did not do it.
        """
        waiting, ended = asyncio.create_task(event.wait()), asyncio.create_task(self.process.wait())
        await asyncio.wait({waiting, ended}, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        ended.cancel()
        if not event.is_set():
            raise RuntimeError("the program did not do its part")


@asynccontextmanager
async def started(*arguments: str, environment: Mapping[str, str]) -> AsyncIterator[Program]:
    """`python -m …`, ended and waited for at the end. If the measurement fails, what it wrote is shown."""
    with tempfile.TemporaryDirectory(prefix="gamekeeper-bench-") as directory:
        log = Path(directory) / "log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *arguments,
                cwd=_ROOT,
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        try:
            yield Program(process)
        except BaseException:
            print(f"--- {' '.join(arguments)} wrote:\n{log.read_text()[-_LAST_WORDS:]}", file=sys.stderr)
            raise
        finally:
            if process.returncode is None:
                process.terminate()
            try:
                async with asyncio.timeout(15):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


def gamekeeper(database: str, token: str, data: str) -> dict[str, str]:
    """The settings of a `gamekeeper run` that shares nothing with this machine's."""
    return {
        "GAMEKEEPER_DATABASE_URL": database,
        "GAMEKEEPER_DISCORD_TOKEN": token,
        "GAMEKEEPER_DATA_DIR": data,
        "GAMEKEEPER_BIND": "127.0.0.1:0",
    }
