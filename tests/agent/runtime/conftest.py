"""Real processes in temporary directories; whatever a test leaves running is ended by its identity."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from agent.runtime.keeper import Identity
from agent.runtime.process import PATH, GameProcess, Launch
from agent.runtime.signals import send
from agent.runtime.tree import members


def script(text: str, *, cwd: Path, env: Mapping[str, str] | None = None, stdin: bool = True, **more: int) -> Launch:
    """A game that is a few lines of Python."""
    argv = [sys.executable, "-I", "-u", "-c", text]
    return Launch(argv=argv, cwd=cwd, env={"PATH": PATH, **(env or {})}, stdin=stdin, **more)


def identity_of(directory: Path, who: str) -> Identity:
    return Identity(*json.loads((directory / "state.json").read_text())[who])


def end(directory: Path) -> None:
    """Kill what a keeper's directory names: the game, what is below it, and the keeper."""
    if (directory / "state.json").exists():
        game, keeper = identity_of(directory, "game"), identity_of(directory, "keeper")
        for process in [*members(game), *members(keeper)]:
            send(process, signal.SIGKILL)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[GameProcess]:
    """A place for one game."""
    yield GameProcess(tmp_path / "keeper")
    end(tmp_path / "keeper")
