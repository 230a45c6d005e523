"""What the agent does for ever, and how long it waits when it cannot."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from agent.http import LinkError

log = logging.getLogger(__name__)

CAP: Final = 60.0


class Backoff:
    """Waits of 1, 2, 4 … `cap` seconds, each between half and all of it, so that many hosts do not return together."""

    def __init__(self, first: float = 1.0, cap: float = CAP) -> None:
        self._first = first
        self._cap = cap
        self._failures = 0

    def after(self, error: LinkError | None = None) -> float:
        """Seconds to wait after one more failure. What the bot asked for is the least."""
        wait = min(self._cap, self._first * 2 ** min(self._failures, 16))
        self._failures += 1
        asked = error.retry_after if error and error.retry_after else 0.0
        return max(asked, 0.0) + wait * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing

    def reset(self) -> None:
        """It worked."""
        self._failures = 0


async def repeat(name: str, step: Callable[[], Awaitable[None]], recovered: asyncio.Event | None = None) -> None:
    """Do `step` until cancelled. The line to the bot may fail; a bug in one step must not end the others.

    `recovered` cuts a wait short that the bot has not asked for: another step has reached it meanwhile.
    """
    backoff = Backoff()
    while True:
        try:
            await step()
        except LinkError as error:
            await _wait(backoff.after(error), None if error.retry_after else recovered)
        except Exception:  # the top of a loop that has to go on
            log.exception("%s failed; trying again", name)
            await asyncio.sleep(backoff.after())
        else:
            backoff.reset()


async def _wait(seconds: float, recovered: asyncio.Event | None) -> None:
    if recovered is None:
        await asyncio.sleep(seconds)
        return
    try:
        async with asyncio.timeout(seconds):
            await recovered.wait()
    except TimeoutError:
        return
    await asyncio.sleep(random.uniform(0, 1))  # noqa: S311  a bot that came back meets its agents one by one
