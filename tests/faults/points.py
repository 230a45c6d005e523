"""The real bot, killed at the n-th await of an interaction: `python -m tests.faults.points DISCORD`.

Imports everything once and then forks a process for each line that it reads, so that a run costs a fraction of a start.
Each of them is a whole bot of its own: composition root, connection to Discord, gate, services, database. Nothing in it
is made for this: every task of its loop is stepped through a wrapper, which counts the awaits of those that carry the
interaction's correlation id.
"""

import asyncio
import contextlib
import gc
import json
import os
import signal
import sys
from collections.abc import Coroutine, Generator
from pathlib import Path
from typing import Any, Final

import discord.gateway
import discord.http
import yarl

from bot.app import build
from bot.client import EXTENSIONS
from bot.config import Settings
from bot.logs import configure, correlation
from tests.wire.discord_server import TOKEN

_PATIENCE: Final = 30.0
_STAY: Final = 100.0
"""Seconds; whoever began it may be dead."""
_ROOT: Final = Path(__file__).parents[2]
_OURS: Final = tuple(f"{_ROOT / package}{os.sep}" for package in ("bot", "cogs", "db"))
_KINDS: Final = ("cr", "gi", "ag")


class Points:
    """Counts the awaits of an interaction, and dies at one of them."""

    def __init__(self, kill_at: int, answers: int) -> None:
        self.kill_at, self.answers = kill_at, answers
        self.passed: list[str] = []
        self.ended = asyncio.Event()
        self._under_way: set[Stepped] = set()

    def task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> "asyncio.Task[Any]":
        """A task factory."""
        return asyncio.Task(Stepped(self, work), loop=loop, **options)

    def awaits(self, work: "Stepped") -> None:
        """What a task awaits has been asked for, and nothing has come back yet."""
        if not correlation.get():
            return
        self._under_way.add(work)
        self.passed.append(_place(work.work))
        if len(self.passed) == self.kill_at:
            os.write(self.answers, json.dumps({"died_at": self.passed[-1]}).encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def ends(self, work: "Stepped") -> None:
        if work in self._under_way:
            self._under_way.remove(work)
            if not self._under_way:
                self.ended.set()


class Stepped(Coroutine[Any, Any, Any]):
    """Somebody else's coroutine, one step at a time."""

    def __init__(self, points: Points, work: Coroutine[Any, Any, Any]) -> None:
        self._points, self.work = points, work

    def send(self, value: Any) -> Any:
        return self._step(self.work.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self.work.throw, *error)

    def _step(self, step: Any, *values: Any) -> Any:
        try:
            awaited = step(*values)
        except BaseException:  # StopIteration is how a coroutine returns
            self._points.ends(self)
            raise
        self._points.awaits(self)
        return awaited

    def close(self) -> None:
        self.work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.work.__await__())


def _place(work: Any) -> str:
    """Where in our own code a coroutine waits, such as `uow.unit_of_work session.transaction`."""
    found: list[str] = []
    while work is not None:
        frame = next((part for kind in _KINDS if (part := getattr(work, f"{kind}_frame", None))), None)
        inner = next((part for kind in _KINDS if (part := getattr(work, f"{kind}_await", None))), None)
        if frame is not None and frame.f_code.co_filename.startswith(_OURS):
            found.append(f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}")
        if frame is not None and frame.f_code.co_filename == contextlib.__file__:
            inner = frame.f_locals["self"].gen  # the generator behind @asynccontextmanager
        work = inner
    return " ".join(found[-2:])


async def _live(points: Points, settings: Settings, *, stays: bool) -> list[str]:
    """Connects, and ends with its first interaction unless it `stays`; the awaits that this one had."""
    app = await build(settings)
    asyncio.get_running_loop().set_task_factory(points.task)
    connected = asyncio.create_task(app.client.start(TOKEN))
    async with asyncio.timeout(_STAY if stays else _PATIENCE):
        await (connected if stays else points.ended.wait())
    assert not connected.done()
    return points.passed


def _child(order: dict[str, Any], answers: int) -> None:
    settings = Settings(database_url=order["database"], data_dir=Path(order["data"]), bind="127.0.0.1:0")
    points = Points(order["kill_at"], answers)
    passed = asyncio.run(_live(points, settings, stays=order["stays"]))
    os.write(answers, json.dumps({"awaits": passed}).encode())  # fits into the pipe


def _fork(order: dict[str, Any]) -> dict[str, Any]:
    """One life of the bot. The answer: its `awaits`, or where it `died_at`; neither if somebody else ended it."""
    reading, writing = os.pipe()
    if not (pid := os.fork()):
        status = 1
        try:
            os.close(reading)
            _child(order, writing)
            status = 0
        finally:
            os._exit(status)  # nothing of the parent's is cleaned up, flushed or waited for
    os.close(writing)
    print(json.dumps({"pid": pid}), flush=True)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as answers:
        said = answers.read()
    return {"signal": -os.waitstatus_to_exitcode(status), **(json.loads(said) if said else {})}


def main() -> None:
    """Serves until its input ends."""
    url = sys.argv[1]
    discord.http.Route.BASE = f"{url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url.replace("http", "ws", 1)) / "gateway/"
    configure("text")
    for extension in EXTENSIONS:
        __import__(extension)
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
