"""The demo's own way into a running server: JSON lines on a loopback port, opened by a token in `control.json`."""

import asyncio
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bot.demo.sevendays import login, noise
from bot.demo.sevendays.life import Life
from bot.demo.sevendays.players import Player
from bot.demo.sevendays.server import Server

FILE = "control.json"
Arguments = dict[str, object]


class ControlServer:
    """Nothing of this exists in the real game, and nothing of it appears in the log by itself."""

    def __init__(self, server: Server, life: Life, directory: Path) -> None:
        self._server = server
        self._life = life
        self._path = directory / FILE
        self._token = secrets.token_hex(16)
        self._actions: dict[str, Callable[[Arguments], object]] = {
            "join": self._join,
            "leave": lambda given: self._server.world.leave(self._player(given)),
            "chat": self._chat,
            "die": lambda given: self._server.world.die(self._player(given)),
            "heard": lambda given: self._player(given).heard,
            "players": lambda _: {player.name: player.entity for player in server.world.players.values()},
            "ready": lambda _: server.world.ready,
            "noise": self._noise,
            "hang": lambda given: server.faults.hang(float(str(given["seconds"]))),
            "dribble": self._dribble,
            "life": lambda given: life.switch(on=bool(given["on"])),
            "crash": self._crash,
        }

    async def start(self) -> None:
        """Open the port, then write the file that names it, readable by its owner only."""
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._publish(listener.sockets[0].getsockname()[1])

    def _publish(self, port: int) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump({"port": port, "token": self._token, "pid": os.getpid()}, file)
        fresh.replace(self._path)

    def stop(self) -> None:
        """The file goes first: whoever reads it may count on a server behind it."""
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(self._answer(line)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # whoever asked is gone and nobody waits for the answer
        writer.close()

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            given = cast("Arguments", json.loads(line))
            if given["token"] != self._token:
                return {"error": "wrong token"}
            return {"result": self._actions[str(given["do"])](given)}
        except (LookupError, TypeError, ValueError) as error:
            return {"error": str(error)}

    def _player(self, given: Arguments) -> Player:
        player = self._server.world.named(str(given["name"]))
        if player is None:
            raise LookupError(f"{given['name']!r} is not in the game")
        return player

    def _join(self, given: Arguments) -> int | str:
        steam, eos, owner = (None if given[key] is None else str(given[key]) for key in ("steam", "eos", "owner"))
        return login.join(self._server, login.visitor(str(given["name"]), steam, eos, owner, str(given["ip"])))

    def _chat(self, given: Arguments) -> None:
        mod = given["mod"]
        self._server.world.chat(self._player(given), str(given["text"]), None if mod is None else str(mod))

    def _noise(self, given: Arguments) -> None:
        count = int(str(given["count"]))
        if given["between"]:
            self._server.faults.between = count
        else:
            for _ in range(count):
                noise.make(self._server.journal)

    def _dribble(self, given: Arguments) -> None:
        self._server.faults.dribble = int(str(given["size"]))

    def _crash(self, given: Arguments) -> None:
        """The process ends in the middle of everything: nothing is saved, nobody is told."""
        self._server.journal.exception("AccessViolationException: Attempted to read protected memory", noise.TRACE)
        os._exit(int(str(given["code"])))
