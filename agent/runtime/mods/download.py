"""Fetching the file of a deployment."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from agent import wire
from agent.errors import TaskFailed
from agent.http import LinkError, Unavailable
from agent.loops import Backoff

PATIENCE: Final = 90.0
"""Seconds that a bot may be away while a file is fetched: it may just be replaced by a newer one."""


class Fetch(Protocol):
    """`agent.link.Link.artifact`."""

    def __call__(self, artifact_id: UUID, target: Path, *, most: int) -> Awaitable[str]: ...


async def download(fetch: Fetch, params: wire.ModInstall, target: Path, tell: Callable[[str], Awaitable[None]]) -> None:
    """Raises `TaskFailed` unless `target` is the very file that was uploaded."""
    backoff, end = Backoff(1.0, 10.0), time.monotonic() + PATIENCE
    while True:
        try:
            digest = await fetch(params.artifact_id, target, most=params.size_bytes)
            break
        except Unavailable as error:
            if time.monotonic() > end:
                raise TaskFailed(f"The file could not be fetched: {error}. Nothing was changed.") from None
            await tell("the bot does not answer; trying again")
            await asyncio.sleep(backoff.after(error))
        except LinkError as error:
            raise TaskFailed(f"The file could not be fetched: {str(error).rstrip('.')}. Nothing was changed.") from None
        except OSError as error:
            raise TaskFailed(f"The host cannot store the file: {error.strerror}. Nothing was changed.") from None
    if digest != params.sha256:
        raise TaskFailed("What arrived is not the file that was uploaded: its SHA-256 differs. Nothing was changed.")
