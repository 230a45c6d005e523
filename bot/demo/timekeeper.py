"""Keeps a simulated Discord at the present: view timeouts, loops and dates then behave as in the real one."""

import asyncio
import logging
from datetime import UTC, datetime
from typing import Final

import simcord

from bot.demo.simcord_private import SetupError

log = logging.getLogger(__name__)

TICK: Final = 1.0
"""Seconds between two moves of the clock."""


async def follow_wall_clock(env: simcord.Env, lock: asyncio.Lock) -> None:
    """Move simulated time along until cancelled. Holds `lock` while doing so, like everybody who acts."""
    while True:
        await asyncio.sleep(TICK)
        async with lock:
            behind = (datetime.now(UTC) - env.now()).total_seconds()
            try:
                await env.advance_time(max(0.0, behind))
            except TimeoutError as error:
                log.warning("the bot did not come to rest: %s", error)
            except SetupError as error:
                log.debug("somebody else acts: %s", error)
