"""Tells the bot which mods its servers have: at the start, and whenever that changed."""

import asyncio
import logging
from typing import Final
from uuid import UUID

from agent.http import Refused
from agent.link import Link
from agent.runtime.server import GameServer
from agent.servers import Servers

log = logging.getLogger(__name__)

EVERY: Final = 15.0
"""Seconds between two looks at the directories; people change them by hand as well."""


class Inventories:
    """What lies on this host, as far as the bot was told."""

    def __init__(self, link: Link, servers: Servers) -> None:
        self._link = link
        self._servers = servers
        self._told: dict[UUID, int] = {}
        self._due = asyncio.Event()

    def hurry(self) -> None:
        """Something may have changed."""
        self._due.set()

    async def tell(self) -> None:
        """One look at every server, then a wait. Raises a `LinkError` when the bot could not be told."""
        self._due.clear()
        for server in self._servers.each():
            await self._tell(server)
        try:
            async with asyncio.timeout(EVERY):  # `wait_for` would swallow being cancelled in the moment of a change
                await self._due.wait()
        except TimeoutError:
            return

    async def _tell(self, server: GameServer) -> None:
        found = await server.mods()
        if found is None or self._told.get(server.spec.id) == found.revision:
            return
        try:
            await self._link.mods(server.spec.id, found)
        except Refused as error:
            log.warning("the bot does not want to know the mods of %s: %s", server.spec.slug, error)
        self._told[server.spec.id] = found.revision
