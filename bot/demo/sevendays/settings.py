"""What the imitation can be told that the real server has no setting for: `demo.json` and SEVENDAYS_* variables."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

FILE = "demo.json"


@dataclass(frozen=True)
class DemoSettings:
    """Seconds unless said otherwise. The variable SEVENDAYS_START_SECONDS wins over the file's `start_seconds`."""

    start_seconds: float = 1.0  # to `StartGame done`; the telnet port opens after a third of it
    stop_seconds: float = 0.2  # between `Preparing quit` and the end of the process
    metrics_seconds: float = 30.0  # between two `Time:` lines
    frame_seconds: float = 0.025  # one console command a frame
    poll_seconds: float = 0.025  # between two looks at what a console is to be sent
    watch_seconds: float = 0.25  # between two looks at serveradmin.xml
    life: bool = False  # invented players come and go
    life_seconds: float = 6.0  # mean pause between two of their doings
    first_day: float = 7 / 24  # days that a new world is old: it begins on day 1 at 07:00
    seed: int = 7
    bind: str = "127.0.0.1"  # the real server listens on every interface once it has a password

    @classmethod
    def load(cls, directory: Path, environment: Mapping[str, str] = os.environ) -> "DemoSettings":
        """Read the directory's file, then the environment. Raises ValueError where a value has the wrong shape."""
        given = read(directory)
        for name in (field.name for field in fields(cls)):
            if (value := environment.get(f"SEVENDAYS_{name.upper()}")) is not None:
                given[name] = value
        return replace(cls(), **{name: _shaped(cls, name, value) for name, value in given.items()})


def read(directory: Path) -> dict[str, object]:
    """Return the directory's file, empty where there is none."""
    path = directory / FILE
    return cast("dict[str, object]", json.loads(path.read_text("utf-8"))) if path.exists() else {}


def write(directory: Path, **changes: object) -> None:
    """Change keys of the directory's file; they count from the server's next start."""
    text = json.dumps(read(directory) | changes, indent=2) + "\n"
    (directory / FILE).write_text(text, "utf-8")


def _shaped(cls: type[DemoSettings], name: str, value: object) -> object:
    default: object = getattr(cls, name, None)
    if default is None:
        raise ValueError(f"{FILE} knows no {name!r}.")
    if isinstance(default, bool):
        return str(value).strip().lower() in {"1", "true", "yes", "on"}
    if isinstance(default, float):
        return float(str(value))
    return int(str(value)) if isinstance(default, int) else str(value)
