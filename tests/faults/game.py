"""A game server's directory with the imitated 7 Days to Die, which writes down how often it was started."""

import asyncio
import shlex
from pathlib import Path
from typing import Any

import yaml

from bot.demo.sevendays import install
from bot.demo.sevendays import settings as sevendays_settings
from bot.demo.sevendays.control import AsyncControl
from bot.demo.sevendays.install import EXECUTABLE
from games.catalog import SHIPPED
from tests.agent.runtime.conftest import free_port

_NOTING = """#!/bin/sh
echo started >> {starts}
[ -e output_log.txt ] && cat output_log.txt >> {history}
exec {game} "$@"
"""


class Game:
    """What the game itself saw, whatever bot and agent say. It begins a new log at each start, so we keep the old."""

    def __init__(self, directory: Path, start_seconds: float = 0.2) -> None:
        self.directory = directory
        self._starts, self._history = directory / "starts", directory / "history.txt"
        install(directory)
        self.slow(start_seconds)
        real = directory / "game"
        (directory / EXECUTABLE).rename(real)
        words = {"starts": self._starts, "history": self._history, "game": real}
        text = _NOTING.format(**{name: shlex.quote(str(path)) for name, path in words.items()})
        (directory / EXECUTABLE).write_text(text)
        (directory / EXECUTABLE).chmod(0o755)

    def slow(self, start_seconds: float) -> None:
        """How long the next start takes."""
        sevendays_settings.write(self.directory, start_seconds=start_seconds, frame_seconds=0.002)

    def stops_slowly(self, seconds: float) -> None:
        """How long the run that starts next takes to end; what runs now has read its settings already."""
        sevendays_settings.write(self.directory, stop_seconds=seconds)

    @property
    def control(self) -> AsyncControl:
        """The way into the game past its agent."""
        return AsyncControl(self.directory)

    @property
    def starts(self) -> int:
        """How often it was started."""
        return len(self._starts.read_text().splitlines()) if self._starts.exists() else 0

    @property
    def stopping(self) -> bool:
        """Whether the newest run is on its way out."""
        log = self.directory / "output_log.txt"
        return log.exists() and "Preparing quit" in log.read_text("utf-8", "replace")

    def log(self) -> str:
        """All that it ever wrote."""
        files = (self._history, self.directory / "output_log.txt")
        return "".join(file.read_text("utf-8", "replace") for file in files if file.exists())

    def heard(self, words: str) -> int:
        """How often somebody had it say these words."""
        return sum("Chat (from '-non-player-'" in line and words in line for line in self.log().splitlines())

    async def ready(self) -> None:
        await asyncio.wait_for(self.control.wait_ready(), 20)


def write_template(directory: Path) -> None:
    """The shipped template, with ports that are free on this machine in the place of the usual ones."""
    template: dict[str, Any] = yaml.safe_load((SHIPPED / "7dtd.yaml").read_text("utf-8"))
    for variable in template["vars"].values():
        if variable["type"] == "port":
            variable["default"] = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "7dtd.yaml").write_text(yaml.safe_dump(template, sort_keys=False, allow_unicode=True), "utf-8")
