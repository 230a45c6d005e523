"""The servers of this host: what people want of them, fetched by revision and remembered on disk.

With the file the agent looks after its servers, crashes included, before it has reached the bot.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent import wire
from agent.errors import TaskFailed
from agent.files import write_private
from agent.http import LinkError
from agent.link import Link
from agent.loops import repeat
from agent.runtime.server import GameServer

log = logging.getLogger(__name__)

FILE: Final = "servers.json"
REFRESH_TIMEOUT: Final = 5.0
"""Seconds for the newest list; a task then goes by the one that is known. What was fetched is followed to the end:
broken off in between, a server would be without its watch."""


class Known(BaseModel):
    """What the file holds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    revision: int = 0
    servers: tuple[wire.ServerSpec, ...] = ()
    released: tuple[wire.ServerSpec, ...] = ()
    """No longer this host's to run, and not removed yet: a SERVER_REMOVE may still come."""


class Servers:
    """Every `GameServer` of this host, each followed by its watch."""

    def __init__(self, state_dir: Path, link: Link, make: Callable[[wire.ServerSpec], GameServer]) -> None:
        self._path = state_dir / FILE
        self._link = link
        self._make = make
        self._revision = 0
        self._servers: dict[UUID, GameServer] = {}
        self._released: dict[UUID, GameServer] = {}
        self._watches: dict[UUID, asyncio.Task[None]] = {}
        self._refreshing = asyncio.Lock()

    @property
    def revision(self) -> int:
        """Of the list that is in effect."""
        return self._revision

    async def open(self) -> None:
        """Find again what an earlier agent left running."""
        known = read_known(self._path.parent)
        self._revision = known.revision
        self._released = {spec.id: self._make(spec) for spec in known.released}
        for spec in known.servers:
            await self._take(spec)

    async def close(self) -> None:
        """Let go of everything; the games run on."""
        for server_id in list(self._servers):
            await self._unwatch(server_id)
        for server in (*self._servers.values(), *self._released.values()):
            await server.close()

    async def refresh(self) -> None:
        """Fetch the list and follow it. Raises a `LinkError`."""
        async with self._refreshing:
            wanted = await self._link.servers(self._revision, timeout=REFRESH_TIMEOUT)
            await self._follow(wanted)

    async def find(self, server_id: UUID, *, fresh: bool) -> GameServer:
        """The server that a job is for; with `fresh` as people want it now. Raises `TaskFailed`."""
        if fresh or server_id not in self._servers:
            try:
                await self.refresh()
            except LinkError as error:
                log.warning("the list of servers could not be fetched (%s); going by the last one", error)
        server = self._servers.get(server_id) or self._released.get(server_id)
        if server is None:
            raise TaskFailed("This host has no such server.")
        return server

    async def forget(self, server_id: UUID) -> None:
        """It was removed from this host."""
        server = self._servers.pop(server_id, None) or self._released.pop(server_id, None)
        await self._unwatch(server_id)
        if server is not None:
            await server.close()
        self._save()

    def each(self) -> list[GameServer]:
        """Those that this host looks after."""
        return list(self._servers.values())

    def knows(self, server_id: UUID) -> bool:
        """Was it ever this host's, and not removed from it?"""
        return server_id in self._servers or server_id in self._released

    def states(self) -> dict[UUID, wire.Status]:
        """The word for each server; cheap."""
        return {server_id: server.state for server_id, server in self._servers.items()}

    async def reports(self) -> list[wire.ServerReport]:
        """How each server is."""
        return list(await asyncio.gather(*(_status(server) for server in self._servers.values())))

    async def _follow(self, wanted: wire.ServerList) -> None:
        specs = {spec.id: spec for spec in wanted.servers}
        for server_id in self._servers.keys() - specs.keys():
            log.info("server %s is no longer this host's; it is let go as it is", self._servers[server_id].spec.slug)
            await self._unwatch(server_id)
            self._released[server_id] = self._servers.pop(server_id)
        for spec in wanted.servers:
            if server := self._servers.get(spec.id):
                if server.spec != spec:
                    server.update(spec)
            else:
                await self._take(spec)
        self._revision = wanted.revision
        self._save()

    async def _take(self, spec: wire.ServerSpec) -> None:
        if server := self._released.pop(spec.id, None):
            server.update(spec)
        else:
            server = self._make(spec)
        self._servers[spec.id] = server
        try:
            await server.adopt()
        except Exception:  # one server's trouble must not keep the agent from looking after the others
            log.exception("what %s does cannot be found out", spec.slug)
        self._watches[spec.id] = asyncio.create_task(repeat(f"watching {spec.slug}", server.watch))

    async def _unwatch(self, server_id: UUID) -> None:
        if watch := self._watches.pop(server_id, None):
            watch.cancel()
            await asyncio.wait([watch])

    def _save(self) -> None:
        known = Known(
            revision=self._revision,
            servers=tuple(server.spec for server in self._servers.values()),
            released=tuple(server.spec for server in self._released.values()),
        )
        try:
            write_private(self._path, known.model_dump_json(indent=1) + "\n")
        except OSError as error:
            log.error("the list of servers cannot be stored: %s", error.strerror)


def read_known(state_dir: Path) -> Known:
    """What an earlier agent knew; nothing, when there is no readable file: the next heartbeat brings it again."""
    try:
        return Known.model_validate_json((state_dir / FILE).read_bytes())
    except FileNotFoundError:
        return Known()
    except (OSError, ValidationError) as error:
        log.error("%s cannot be read (%s); asking the bot", state_dir / FILE, type(error).__name__)
        return Known()


async def _status(server: GameServer) -> wire.ServerReport:
    try:
        return await server.status()
    except TaskFailed as error:
        return wire.ServerReport(id=server.spec.id, state="unknown", note=str(error)[:300])
    except Exception:  # one server's trouble must not make the whole host look offline
        log.exception("the state of %s cannot be found", server.spec.slug)
        return wire.ServerReport(id=server.spec.id, state="unknown", note="the agent could not look; see its log")
