"""Mods between bot and hosts: the files that they install, and what they found to be installed."""

from uuid import UUID

from aiohttp import web

from agent import wire
from bot.errors import NotFound
from bot.http.bodies import LARGE, read
from bot.http.clients import Proxies, bearer
from bot.http.errors import promptly
from bot.services.agents import Agents, HostIdentity
from bot.services.artifacts import Artifacts
from bot.services.mods_inventory import ModInventory


class ModsApi:
    """`GET /agent/v1/artifacts/{id}` and `PUT /agent/v1/servers/{id}/mods`."""

    def __init__(self, agents: Agents, artifacts: Artifacts, inventory: ModInventory, proxies: Proxies) -> None:
        self._agents = agents
        self._artifacts = artifacts
        self._inventory = inventory
        self._proxies = proxies

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/agent/v1/artifacts/{id}", self.artifact, allow_head=False),
            web.put("/agent/v1/servers/{id}/mods", self.mods),
        ]

    async def artifact(self, request: web.Request) -> web.StreamResponse:
        """The file that a run of this host installs, with its length; the host compares its sha256."""
        host, artifact_id = await self._host(request), _id(request)
        path = await promptly(self._artifacts.held(host, artifact_id))
        headers = {"Content-Type": "application/octet-stream", "Cache-Control": "no-store"}
        return web.FileResponse(path, chunk_size=256 * 1024, headers=headers)

    async def mods(self, request: web.Request) -> web.Response:
        """What a server has now."""
        host, server_id = await self._host(request), _id(request)
        found = await read(request, wire.ModList, limit=LARGE)
        await promptly(self._inventory.put(host, server_id, found))
        return web.Response(status=204)

    async def _host(self, request: web.Request) -> HostIdentity:
        return await promptly(self._agents.authenticate(bearer(request), self._proxies.client(request)))


def _id(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["id"])
    except ValueError as error:
        raise NotFound("There is nothing with this id.", "Forget it.") from error
