"""The agent API: thin. Reads a message of the protocol, calls one service, answers in the protocol's words."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar
from uuid import UUID

from aiohttp import web

from agent import wire
from bot import clock
from bot.errors import Invalid, NotFound
from bot.http.bodies import LARGE, MEDIUM, read
from bot.http.clients import Proxies, RateLimit, bearer
from bot.http.errors import promptly
from bot.http.polls import Polls
from bot.services.agents import Agents, HostIdentity
from bot.services.heartbeats import Heartbeats
from bot.services.jobs_queue import JobQueue

A = TypeVar("A")

LONGEST_WAIT: Final = 60.0
PAIRINGS_PER_MINUTE: Final = 10


class AgentApi:
    """The calls that `agent.wire` lists."""

    def __init__(
        self, agents: Agents, heartbeats: Heartbeats, queue: JobQueue, polls: Polls, proxies: Proxies | None = None
    ) -> None:
        self._agents = agents
        self._heartbeats = heartbeats
        self._queue = queue
        self._polls = polls
        self._proxies = proxies or Proxies()
        self._pairings = RateLimit(PAIRINGS_PER_MINUTE, 60.0)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/agent/v1/pair", self.pair),
            web.post("/agent/v1/heartbeat", self.heartbeat),
            web.get("/agent/v1/servers", self.servers),
            web.post("/agent/v1/jobs/claim", self.claim),
            web.post("/agent/v1/jobs/cancels", self.cancels),
            web.post("/agent/v1/runs/{run}/progress", self.progress),
            web.post("/agent/v1/runs/{run}/result", self.result),
        ]

    async def pair(self, request: web.Request) -> web.Response:
        """Rate-limited before anything is looked at: a token must not be found by trying."""
        client = self._proxies.client(request)
        self._pairings.check(client or "local")
        message = await read(request, wire.PairRequest, limit=MEDIUM)
        return _json(await promptly(self._agents.pair(message, client)))

    async def heartbeat(self, request: web.Request) -> web.Response:
        """Brings a new key with its answer while the host's rotation is pending."""
        host = await self._host(request)
        message = await read(request, wire.Heartbeat, limit=LARGE)
        beat = await promptly(self._heartbeats.beat(host, message, self._proxies.client(request)))
        key = await promptly(self._agents.next_key(host)) if beat.rotating else None
        return _json(
            wire.HeartbeatAnswer(
                now=clock.now(), interval_sec=beat.interval_sec, servers_revision=beat.servers_revision, rotate_key=key
            )
        )

    async def servers(self, request: web.Request) -> web.Response:
        """The whole list, whatever revision the agent has: it asks only when the heartbeat named a newer one."""
        host = await self._host(request)
        return _json(await promptly(self._agents.servers(host)))

    async def claim(self, request: web.Request) -> web.Response:
        """Waits up to `wait` seconds for work."""
        host = await self._host(request)
        asked = await read(request, wire.ClaimRequest)
        answer = await self._waited(
            request, host, lambda: self._queue.claim(host, asked.slots, only_kills=asked.only_kills)
        )
        return _json(answer or wire.ClaimAnswer(now=clock.now(), jobs=[]))

    async def cancels(self, request: web.Request) -> web.Response:
        """Waits up to `wait` seconds until something that runs shall be cancelled."""
        host = await self._host(request)
        known = (await read(request, wire.CancelsRequest)).known
        answer = await self._waited(request, host, lambda: self._queue.cancels(host, known))
        return _json(wire.CancelsAnswer(runs=answer or []))

    async def _waited(
        self, request: web.Request, host: HostIdentity, look: Callable[[], Awaitable[A | None]]
    ) -> A | None:
        """What a look finds, waited for. The event is cleared before the look, so nothing is missed."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _wait(request)
        with self._polls.waiting(host.id) as event:
            while True:
                event.clear()
                if request.transport is None or request.transport.is_closing():
                    raise web.HTTPBadRequest(reason="Nobody is waiting for the answer any more.")
                if answer := await promptly(look()):
                    return answer
                if self._polls.closing or not await _woken(event, until - loop.time()):
                    return None

    async def progress(self, request: web.Request) -> web.Response:
        host, run = await self._host(request), _run(request)
        message = await read(request, wire.Progress)
        return _json(await promptly(self._queue.progress(host, run, message)))

    async def result(self, request: web.Request) -> web.Response:
        host, run = await self._host(request), _run(request)
        message = await read(request, wire.Result, limit=LARGE)
        return _json(await promptly(self._queue.finish(host, run, message)))

    async def _host(self, request: web.Request) -> HostIdentity:
        return await promptly(self._agents.authenticate(bearer(request), self._proxies.client(request)))


async def _woken(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await clock.idle(event.wait(), "no work for this host")
    except TimeoutError:
        return False
    return True


def _wait(request: web.Request) -> float:
    try:
        seconds = float(request.query.get("wait", "0"))
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise Invalid("`wait` is no number.", "Give seconds, e.g. `wait=25`.")
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _run(request: web.Request) -> UUID:
    try:
        return UUID(request.match_info["run"])
    except ValueError as error:
        raise NotFound("This host has no such run.", "Forget it.") from error


def _json(message: wire.Wire) -> web.Response:
    return web.json_response(message.dump())
