"""The gateway: HELLO, IDENTIFY, RESUME, heartbeats, events by shard."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from aiohttp import WSMsgType, web

from tests.wire.guild import Json

HEARTBEAT_MS: Final = 20_000


class Op(IntEnum):
    """What a frame is."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    RESUME = 6
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


@dataclass
class Session:
    """What a RESUME continues."""

    id: str
    events: list[Json] = field(default_factory=list[Json])
    socket: web.WebSocketResponse | None = None

    async def dispatch(self, event: str, data: Json) -> None:
        """Sends an event, or keeps it for a RESUME."""
        self.events.append({"op": Op.DISPATCH, "s": len(self.events) + 1, "t": event, "d": data})
        if self.socket is not None:
            await self.socket.send_json(self.events[-1])


class Gateway:
    """Every connection of the bot. `welcome` says what follows READY, `user` who the bot is."""

    def __init__(self, user: Json, welcome: Callable[[], list[tuple[str, Json]]]) -> None:
        self.url = ""
        self.resumed = 0
        self._user = user
        self._welcome = welcome
        self._sessions: dict[str, Session] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()

    @property
    def connected(self) -> list[Session]:
        """Sessions with a living connection, the oldest first."""
        return [one for one in self._sessions.values() if one.socket is not None and not one.socket.closed]

    async def until_connected(self, count: int = 1, seconds: float = 30.0) -> None:
        """Waits until exactly so many processes are connected, and know their guilds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(lambda: len(self.connected) == count)

    async def drop(self, code: int = 4000) -> None:
        """Cuts every connection, as Discord does every now and then."""
        for session in self.connected:
            if session.socket is not None:
                await session.socket.close(code=code)

    async def dispatch(self, event: str, data: Json) -> None:
        """To every connection. Raises `ConnectionError` when there is none."""
        if not (sessions := self.connected):
            raise ConnectionError("no bot is connected")
        for session in sessions:
            await session.dispatch(event, data)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        await socket.send_json({"op": Op.HELLO, "d": {"heartbeat_interval": HEARTBEAT_MS}})
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session = await self._heard(socket, message.json()) or session
        finally:
            if session is not None and session.socket is socket:
                session.socket = None
            async with self._changed:
                self._changed.notify_all()
        return socket

    async def _heard(self, socket: web.WebSocketResponse, said: Json) -> Session | None:
        match said["op"]:
            case Op.HEARTBEAT:
                await socket.send_json({"op": Op.HEARTBEAT_ACK})
            case Op.IDENTIFY:
                return await self._identified(socket, said["d"])
            case Op.RESUME:
                return await self._resume(socket, said["d"])
            case _:
                pass
        return None

    async def _identified(self, socket: web.WebSocketResponse, identify: Json) -> Session:
        session = Session(f"session-{next(self._numbers)}", socket=socket)
        self._sessions[session.id] = session
        welcome = self._welcome()
        ready = {
            "v": 10,
            "user": self._user,
            "guilds": [{"id": guild["id"], "unavailable": True} for _, guild in welcome],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": identify.get("shard", [0, 1]),
            "application": {"id": self._user["id"], "flags": 0},
        }
        for event, data in [("READY", ready), *welcome]:
            await session.dispatch(event, data)
        async with self._changed:
            self._changed.notify_all()
        return session

    async def _resume(self, socket: web.WebSocketResponse, resume: Json) -> Session | None:
        session = self._sessions.get(resume["session_id"])
        if session is None:
            await socket.send_json({"op": Op.INVALID_SESSION, "d": False})
            return None
        session.socket = socket
        for event in session.events[resume["seq"] :]:
            await socket.send_json(event)
        await session.dispatch("RESUMED", {})
        self.resumed += 1
        async with self._changed:
            self._changed.notify_all()
        return session
