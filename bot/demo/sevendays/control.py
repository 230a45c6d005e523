"""Drives a running imitation from outside: players come, talk and go, and things go wrong.

`Control` waits in place; `AsyncControl` is the same for an event loop.
"""

import asyncio
import json
import socket
import time
from pathlib import Path
from typing import cast

from bot.demo.sevendays import settings
from bot.demo.sevendays.control_server import FILE


class ControlError(Exception):
    """The server does not run, or it refused the request (somebody who is not in the game)."""


class Control:
    """For the server that lives in `directory`. Each call is a connection of its own, so restarts do not matter."""

    def __init__(self, directory: Path, *, timeout: float = 10) -> None:
        self._directory = directory
        self._timeout = timeout

    def ready(self) -> bool:
        """Say whether a server runs here and players can join."""
        try:
            return bool(self._call("ready"))
        except ControlError:
            return False

    def wait_ready(self, timeout: float = 10) -> None:
        """Return as soon as players can join. Raises ControlError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if time.monotonic() > deadline:
                raise ControlError(f"no server is ready in {self._directory}")
            time.sleep(0.02)

    def join(
        self,
        name: str,
        steam: str | None = None,
        eos: str | None = None,
        ip: str = "192.0.2.1",
        owner: str | None = None,
    ) -> int | str:
        """Returns the entity id, or the text that the player reads when refused.

        An id left out is derived from the name, an empty one is `<unknown>`. `owner`: Steam id of a family-shared game.
        """
        return cast("int | str", self._call("join", name=name, steam=steam, eos=eos, ip=ip, owner=owner))

    def leave(self, name: str) -> None:
        self._call("leave", name=name)

    def chat(self, name: str, text: str, mod: str | None = None) -> None:
        """`mod` names a mod that handles the line first."""
        self._call("chat", name=name, text=text, mod=mod)

    def die(self, name: str) -> None:
        self._call("die", name=name)

    def heard(self, name: str) -> list[str]:
        """What the server has said to this player so far."""
        return cast("list[str]", self._call("heard", name=name))

    def players(self) -> dict[str, int]:
        """Entity ids of the players in the game, by name."""
        return cast("dict[str, int]", self._call("players"))

    def life(self, *, on: bool) -> None:
        """Let invented players come and go by themselves, or stop that."""
        self._call("life", on=on)

    def noise(self, count: int, *, between: bool = False) -> None:
        """Write log noise: now, or one record after each of the next answer lines."""
        self._call("noise", count=count, between=between)

    def dribble(self, size: int) -> None:
        """Send packets of `size` bytes from now on; 0 is normal again."""
        self._call("dribble", size=size)

    def hang(self, seconds: float) -> None:
        """Freeze the game: no answers, no frames, no reaction to SIGTERM. The control channel goes on working."""
        self._call("hang", seconds=seconds)

    def crash(self, code: int = 139) -> None:
        """End the process with this exit code after an EXC record."""
        try:
            self._call("crash", code=code)
        except ControlError:
            return
        raise ControlError("the server survived")

    def slow_start(self, seconds: float) -> None:
        """Make the next start take this long. The server need not run."""
        settings.write(self._directory, start_seconds=seconds)

    def _call(self, do: str, **given: object) -> object:
        try:
            door = json.loads((self._directory / FILE).read_text("utf-8"))
            request = json.dumps({"token": door["token"], "do": do, **given}).encode() + b"\n"
            with socket.create_connection(("127.0.0.1", door["port"]), self._timeout) as connection:
                connection.sendall(request)
                answer = connection.makefile("rb").readline()
        except OSError as error:
            raise ControlError(f"no server runs in {self._directory}: {error}") from error
        if not answer:
            raise ControlError("the server ended")
        result = json.loads(answer)
        if "error" in result:
            raise ControlError(result["error"])
        return result["result"]


class AsyncControl:
    """The calls of `Control`, each made in a thread."""

    def __init__(self, directory: Path, *, timeout: float = 10) -> None:
        self._sync = Control(directory, timeout=timeout)

    async def ready(self) -> bool:
        return await asyncio.to_thread(self._sync.ready)

    async def wait_ready(self, timeout: float = 10) -> None:
        await asyncio.to_thread(self._sync.wait_ready, timeout)

    async def join(
        self,
        name: str,
        steam: str | None = None,
        eos: str | None = None,
        ip: str = "192.0.2.1",
        owner: str | None = None,
    ) -> int | str:
        return await asyncio.to_thread(self._sync.join, name, steam, eos, ip, owner)

    async def leave(self, name: str) -> None:
        await asyncio.to_thread(self._sync.leave, name)

    async def chat(self, name: str, text: str, mod: str | None = None) -> None:
        await asyncio.to_thread(self._sync.chat, name, text, mod)

    async def die(self, name: str) -> None:
        await asyncio.to_thread(self._sync.die, name)

    async def heard(self, name: str) -> list[str]:
        return await asyncio.to_thread(self._sync.heard, name)

    async def players(self) -> dict[str, int]:
        return await asyncio.to_thread(self._sync.players)

    async def life(self, *, on: bool) -> None:
        await asyncio.to_thread(self._sync.life, on=on)

    async def noise(self, count: int, *, between: bool = False) -> None:
        await asyncio.to_thread(self._sync.noise, count, between=between)

    async def dribble(self, size: int) -> None:
        await asyncio.to_thread(self._sync.dribble, size)

    async def hang(self, seconds: float) -> None:
        await asyncio.to_thread(self._sync.hang, seconds)

    async def crash(self, code: int = 139) -> None:
        await asyncio.to_thread(self._sync.crash, code)

    async def slow_start(self, seconds: float) -> None:
        await asyncio.to_thread(self._sync.slow_start, seconds)
