"""One channel as a page for many browsers, with its requests below a path of our own server."""
# pyright: reportPrivateUsage=false
# Private use is what this package is for; nothing else in the project may do it.

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import web
from simcord.actors import MemberActor
from simcord.backend.errors import SetupError
from simcord.builders import ChannelHandle
from simcord.preview import Preview, make_preview
from simcord.preview import _server as preview_server
from simcord.preview._server import PreviewServer

from bot.demo.simcord_private import quick


class _Mounted(PreviewServer):
    """The request handlers of one preview below a path of our server, instead of on a port of their own."""

    def __init__(self, preview: Preview, port: int) -> None:
        super().__init__(preview)
        self.port = port
        self._drawn: dict[str, tuple[tuple[Any, ...], web.Response]] = {}

    async def state(self, request: web.Request) -> web.StreamResponse:
        """What a page asks twice a second: the same bytes until the next publication."""
        context = request.headers.get("X-Simcord-Context", "")
        page = self.preview._pages.get(context)
        if page is None or not self._authorized(request, context=context):
            return await self._state(request)
        page = self.preview._get_page(context)  # it counts as a sign of life
        key = (page.revision, page.status, page.last_sequence, id(page.last_action), len(page.activity))
        known, drawn = self._drawn.get(context, ((), None))
        if known != key or drawn is None:
            drawn = cast(web.Response, await self._state(request))
            self._drawn = {one: kept for one, kept in self._drawn.items() if one in self.preview._pages}
            self._drawn[context] = (key, drawn)
        return web.Response(body=drawn.body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def start(self) -> None:
        preview_server.web = web  # pyright: ignore[reportAttributeAccessIssue]  # it imports aiohttp only when it binds

    async def close(self) -> None:
        """Nothing of its own to close."""


class ChannelPage:
    """One channel of the simulated Discord as simcord's preview page, live, for as many browsers as come."""

    def __init__(
        self,
        channel: ChannelHandle,
        viewers: Sequence[MemberActor],
        *,
        capability: str,
        port: int,
        timezone: str,
        pictures: Mapping[str, tuple[str, bytes]],
    ) -> None:
        env = channel._env
        env._preview = None  # simcord allows one preview per world; we serialise actions ourselves
        self.preview = make_preview(
            env,
            channel,
            viewers=viewers,
            layout="channel",
            display="responsive",
            width=960,
            height=720,
            locale="en-US",
            timezone=timezone,
            presentation_time=None,
            assets=pictures,
            sku_presentations=None,
            port=None,
        )
        self.preview.capability = capability
        self.server = _Mounted(self.preview, port)
        self.preview._server = self.server
        self.channel = channel
        self.env = env

    async def open(self, stack: contextlib.AsyncExitStack, lock: asyncio.Lock, acted: Callable[[], None]) -> None:
        """Serve pages until `stack` unwinds. One action at a time holds `lock`; `acted` is called after each."""
        quick.install()
        Preview._MAX_PAGES = 500  # 16 by default, and a crashed tab holds its place for ten minutes
        Preview._PAGE_LEASE_SECONDS = 6 * 3600.0  # a laptop may sleep over lunch
        await stack.enter_async_context(self.preview)
        self._follow_newest()
        inner = self.preview._action

        async def action(context_id: str | None, body: Any) -> dict[str, Any]:
            async with lock:
                self.env._preview = self.preview
                try:
                    return await inner(context_id, self._admit(context_id, body))
                finally:
                    acted()

        self.preview._action = action

    def _follow_newest(self) -> None:
        python = self.preview._python
        assert python is not None
        python.target_id = python.window_end_id = None  # new pages start at the end, not where the world began

    def _admit(self, context_id: str | None, body: Any) -> Any:
        """Let a click count although the page moved on meanwhile, and let nobody end the session for the others."""
        if not isinstance(body, dict):
            return body
        admitted = dict(cast(dict[str, Any], body))
        if admitted.get("kind") == "close":
            admitted["kind"] = "refresh"
        if "published_revision" in admitted:
            with contextlib.suppress(SetupError):
                admitted["published_revision"] = self.preview._get_page(context_id).revision
        return admitted

    @property
    def busy(self) -> bool:
        """Whether any browser has this channel open."""
        return len(self.preview._pages) > 1

    def publish(self) -> None:
        """Show every open browser the present state."""
        self.preview.capture_time = datetime.now(UTC)  # simulated time is up to a second behind: "in 1 second"
        for page in tuple(self.preview._pages.values()):
            if page is not self.preview._python and page.id in self.preview._pages:
                self.preview._publish(page, reason="refresh")

    async def _arrive(self, request: web.Request) -> web.StreamResponse:
        self.preview.capture_time = datetime.now(UTC)  # nobody was here since the last time anything was drawn
        return await self.server._pages(request)

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The page's requests below `prefix`, which ends with a slash."""
        server = self.server
        return [
            web.post(f"{prefix}api/pages", self._arrive),
            web.delete(prefix + "api/pages/{context_id}", server._delete_page),
            web.get(f"{prefix}api/state", server.state),
            web.get(f"{prefix}api/commands", server._commands),
            web.get(f"{prefix}api/action-result", server._action_result),
            web.post(f"{prefix}api/action", server._action),
            web.get(prefix + "api/assets/{asset_id}", server._asset),
        ]
