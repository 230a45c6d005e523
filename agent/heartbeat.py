"""Says at intervals, and at once when something changed, how this host and its servers are."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from agent import __version__, wire
from agent.host import Meter
from agent.link import Link
from agent.servers import Servers

FIRST_INTERVAL: Final = 15.0
LEAST, MOST = 1.0, 300.0
"""Seconds; what the bot asks for is held within them."""


class Heartbeats:
    """The heartbeat of one host."""

    def __init__(self, link: Link, servers: Servers, meter: Meter, games: list[wire.GameReport]) -> None:
        self._link = link
        self._servers = servers
        self._meter = meter
        self._games = games
        self._due = asyncio.Event()
        self._interval = FIRST_INTERVAL
        self._told: dict[UUID, wire.Status] = {}

    def hurry(self) -> None:
        """Something changed: do not wait for the next interval."""
        self._due.set()

    async def beat(self) -> None:
        """One heartbeat, what follows from its answer, and the wait until the next. Raises a `LinkError`."""
        self._due.clear()
        self._told = self._servers.states()
        answer = await self._link.heartbeat(
            wire.Heartbeat(
                agent_version=__version__,
                games=self._games,
                metrics=self._meter.metrics(),
                servers=await self._servers.reports(),
                sent_at=datetime.now(UTC),
            )
        )
        self._interval = min(MOST, max(LEAST, answer.interval_sec))
        if answer.servers_revision != self._servers.revision:
            # Not only newer: a bot that was restored from a backup counts from a lower number.
            await self._servers.refresh()
            self.hurry()
        await self._pause()

    async def _pause(self) -> None:
        """Until the interval has passed, somebody is in a hurry, or a server is no longer what was told."""
        end = time.monotonic() + self._interval
        await asyncio.sleep(LEAST)  # changes that come together go together
        while (left := end - time.monotonic()) > 0 and self._servers.states() == self._told:
            try:
                async with asyncio.timeout(min(LEAST, left)):
                    await self._due.wait()
            except TimeoutError:
                continue
            return
