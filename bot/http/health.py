"""Is the process alive, and can it do its work?"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.http.errors import problem, promptly


class Health:
    """`/healthz`: the event loop answers. `/readyz`: the database answers, is migrated, and nothing shuts down."""

    def __init__(self, ready: Callable[[], Awaitable[str]]) -> None:
        """`ready` says in a sentence why work cannot be done; an empty one when it can."""
        self._ready = ready
        self.stopping = False

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/healthz", self.alive), web.get("/readyz", self.ready)]

    async def alive(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(self, _request: web.Request) -> web.Response:
        if self.stopping:
            return problem(503, "Shutting down.", headers={"Retry-After": "5"})
        if reason := await promptly(self._ready()):
            return problem(503, reason, headers={"Retry-After": "5"})
        return web.json_response({"status": "ready"})
