"""The playground's web site: one frame with the guild's channels, and simcord's page for each channel inside it."""

import contextlib
import hmac
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.demo.simcord_private import StaticFiles

if TYPE_CHECKING:
    from bot.demo.playground import Playground

PAGE: Final = Path(__file__).with_name("page")
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Site:
    """Answers only to a loopback Host, so that no page elsewhere can reach it by a name of its own."""

    def __init__(self, playground: "Playground") -> None:
        self.playground = playground
        self.files = StaticFiles()

    async def serve(self, stack: contextlib.AsyncExitStack, listener: socket.socket) -> None:
        """Answer on `listener` until `stack` unwinds."""
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=32 * 1024 * 1024)
        app.add_routes([
            web.get("/", self._frame),
            web.get("/page/{name}", self._page_file),
            web.get("/simcord/{name:.+}", self.files.serve),
            web.get("/overview", self._overview),
        ])  # fmt: skip
        for name, page in self.playground.pages.items():
            app.add_routes([web.get(f"/c/{name}/", self._channel), *page.routes(f"/c/{name}/")])
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Host") not in {f"{host}:{self.playground.port}" for host in ("127.0.0.1", "localhost")}:
            raise web.HTTPForbidden(text="The playground answers on 127.0.0.1 only.")
        response = await handler(request)
        if "X-Frame-Options" not in response.headers:
            response.headers.update(HEADERS)
        return response

    async def _frame(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    async def _page_file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in {"frame.css", "frame.js", "embed.css"}:
            raise web.HTTPNotFound
        return web.FileResponse(PAGE / name, headers={"Cache-Control": "no-cache"})

    async def _channel(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=self.files.page, content_type="text/html", headers={"Cache-Control": "no-cache"})

    async def _overview(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("X-Simcord-Capability", "")
        if not hmac.compare_digest(given.encode(), self.playground.capability.encode()):
            raise web.HTTPUnauthorized
        return web.json_response(self.playground.overview(), headers={"Cache-Control": "no-store"})
