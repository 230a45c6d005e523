"""A Discord on loopback, as far as a bot needs it to connect and to answer: REST and gateway, over the wire.

It says when an interaction's answer has arrived. It limits nothing and forgets at once.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import WSMsgType, web

from benchmarks.guilds import Guild, Json

_API: Final = "/api/v10"
_HEARTBEAT_MS: Final = 41_250
_CHUNK: Final = 50
"""Guilds that are sent without giving others a turn."""


@dataclass(frozen=True)
class Answer:
    """The first answer to an interaction."""

    seconds: float
    """From the moment the event was written to the gateway until the callback had arrived."""
    deferred: bool


@dataclass
class Application:
    """One bot's account: its token, its guilds, and what it has registered."""

    id: int
    token: str
    guilds: Sequence[int]
    creates: Sequence[str]
    """GUILD_CREATE of each guild, as JSON: made once, because thousands take longer than a bot takes to start."""
    commands: list[Json] = field(default_factory=list[Json])
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a shard has been sent all of its guilds."""
    socket: web.WebSocketResponse | None = None
    sequence: Any = field(default_factory=lambda: itertools.count(1))

    async def send(self, event: str, data: Json) -> None:
        """Dispatches a gateway event."""
        if self.socket is None:
            raise ConnectionError("the bot is not connected")
        await self.socket.send_json({"op": 0, "s": next(self.sequence), "t": event, "d": data})

    async def show_guilds(self) -> None:
        """Dispatches every guild, then says so."""
        assert self.socket is not None
        for number, data in enumerate(self.creates):
            await self.socket.send_str(f'{{"op":0,"s":{next(self.sequence)},"t":"GUILD_CREATE","d":{data}}}')
            if number % _CHUNK == 0:
                await asyncio.sleep(0)
        self.connected.set()

    @property
    def user(self) -> Json:
        return {"id": str(self.id), "username": f"bot{self.id}", "discriminator": "0", "avatar": None, "bot": True}


class DiscordServer:
    """Serves any number of applications."""

    def __init__(self) -> None:
        self.url = ""
        self._applications: dict[str, Application] = {}
        self._waiting: dict[str, tuple[float, asyncio.Future[Answer]]] = {}
        self._ids = itertools.count(int((time.time() - 1_420_070_400) * 1000) << 22)
        self._runner: web.AppRunner | None = None

    def application(self, guilds: Sequence[Guild]) -> Application:
        """A new bot account that is in these guilds."""
        number = next(self._ids)
        creates = [json.dumps(guild.payload) for guild in guilds]
        made = Application(number, f"token.of.{number}", [guild.id for guild in guilds], creates)
        self._applications[made.token] = made
        return made

    def snowflake(self) -> str:
        return str(next(self._ids))

    async def interact(self, application: Application, interaction: Json, *, patience: float = 10.0) -> Answer:
        """Sends an interaction and waits for the callback.

        Raises:
            TimeoutError: none came in time.
        """
        number = self.snowflake()
        token = f"interaction{number}"
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[token] = time.perf_counter(), future
        event = {**interaction, "id": number, "application_id": str(application.id), "token": token, "version": 1}
        try:
            await application.send("INTERACTION_CREATE", event)
            async with asyncio.timeout(patience):
                return await future
        finally:
            self._waiting.pop(token, None)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.add_routes(
            [
                web.get("/gateway/", self._gateway),
                web.get(f"{_API}/gateway/bot", self._gateway_bot),
                web.get(f"{_API}/users/@me", self._me),
                web.get(f"{_API}/oauth2/applications/@me", self._application),
                web.put(f"{_API}/applications/{{id}}/commands", self._register),
                web.post(f"{_API}/interactions/{{id}}/{{token}}/callback", self._callback),
                web.route("*", f"{_API}/webhooks/{{id}}/{{token}}/messages/@original", self._message),
                web.post(f"{_API}/channels/{{channel}}/messages", self._message),
                web.patch(f"{_API}/channels/{{channel}}/messages/{{id}}", self._message),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------------------------------------------ REST

    def _of(self, request: web.Request) -> Application:
        return self._applications[request.headers["Authorization"].removeprefix("Bot ")]

    async def _gateway_bot(self, request: web.Request) -> web.Response:
        limits = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        address = self.url.replace("http", "ws", 1) + "/gateway/"
        return _json({"url": address, "shards": 1, "session_start_limit": limits})

    async def _me(self, request: web.Request) -> web.Response:
        return _json(self._of(request).user)

    async def _application(self, request: web.Request) -> web.Response:
        app = self._of(request)
        described = {"id": str(app.id), "name": "bench", "icon": None, "description": "", "flags": 0}
        owner = {"id": "1", "username": "olga", "discriminator": "0", "avatar": None}
        return _json(
            {
                **described,
                "verify_key": "",
                "bot_public": True,
                "bot_require_code_grant": False,
                "owner": owner,
                "team": None,
            }
        )

    async def _register(self, request: web.Request) -> web.Response:
        app = self._of(request)
        given: list[Json] = await request.json()
        app.commands = [
            {**command, "id": self.snowflake(), "application_id": str(app.id), "version": "1"} for command in given
        ]
        return _json(app.commands)

    async def _callback(self, request: web.Request) -> web.Response:
        arrived = time.perf_counter()
        kind: int = (await request.json())["type"]
        token = request.match_info["token"]
        sent, future = self._waiting.get(token, (0.0, None))
        if future is not None and not future.done():
            future.set_result(Answer(arrived - sent, deferred=kind in (5, 6)))
        message = self._said("1")
        what = {"id": request.match_info["id"], "type": 2, "response_message_id": message["id"]}
        return _json({"interaction": what, "resource": {"type": kind, "message": message}})

    async def _message(self, request: web.Request) -> web.Response:
        return _json(self._said(request.match_info.get("channel", "1")))

    def _said(self, channel: str) -> Json:
        author = {"id": "1", "username": "bot", "discriminator": "0", "avatar": None, "bot": True}
        told: Json = {
            "content": "",
            "embeds": [],
            "attachments": [],
            "components": [],
            "mentions": [],
            "mention_roles": [],
        }
        flags = {"type": 0, "tts": False, "pinned": False, "mention_everyone": False, "flags": 0}
        times = {"timestamp": "2026-01-01T00:00:00+00:00", "edited_timestamp": None}
        return {"id": self.snowflake(), "channel_id": channel, "author": author, **told, **flags, **times}

    # --------------------------------------------------------------------------------------------------- gateway

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": _HEARTBEAT_MS}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said: Mapping[str, Any] = message.json()
            if said["op"] == 1:
                await socket.send_json({"op": 11})
            elif said["op"] == 2:
                await self._identified(socket, said["d"])
        return socket

    async def _identified(self, socket: web.WebSocketResponse, identify: Mapping[str, Any]) -> None:
        app = self._applications[identify["token"]]
        app.socket = socket
        await app.send(
            "READY",
            {
                "v": 10,
                "user": app.user,
                "guilds": [{"id": str(guild), "unavailable": True} for guild in app.guilds],
                "session_id": "session",
                "resume_gateway_url": self.url.replace("http", "ws", 1) + "/gateway/",
                "shard": identify.get("shard", [0, 1]),
                "application": {"id": str(app.id), "flags": 0},
            },
        )
        await app.show_guilds()


def _json(value: Any) -> web.Response:
    """discord.py reads nothing as JSON whose type says more than this, a charset for instance."""
    return web.Response(body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})
