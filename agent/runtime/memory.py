"""What the agent remembers of a server over its own restarts."""

import logging
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.files import make_private, write_private
from agent.runtime.keeper import Identity

log = logging.getLogger(__name__)

NAME: Final = "memory.json"


class Facts(BaseModel):
    """The content of a server's `memory.json`. Times are seconds since the epoch."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    installed: Literal["no", "under way", "failed", "yes"] = "no"
    directory: str = ""
    wanted: Literal["running", "stopped"] = "stopped"
    """What the last person who touched its power wanted, here or in the game."""
    doing: Literal["", "starting", "stopping", "restarting"] = ""
    """A power action under way; found after a restart, it was interrupted."""
    game: Identity | None = None
    """The process that was started last."""
    judged: bool = True
    """Its end has been dealt with."""
    ready: bool = False
    crashed: bool = False
    crashes: int = 0
    """Unexpected ends since the last start that a person asked for."""
    streak: int = 0
    """Crashes in a row, each soon after its start."""
    next_start: float | None = None
    note: str = ""


class Memory:
    """The facts, written to disk at every change."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self.facts = _load(self._path)

    def update(self, **changes: Any) -> None:
        """Change some facts. What does not change costs no write."""
        facts = Facts.model_validate({**self.facts.model_dump(), **changes})
        if facts != self.facts:
            make_private(self._path.parent)
            write_private(self._path, facts.model_dump_json())
            self.facts = facts


def _load(path: Path) -> Facts:
    try:
        return Facts.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Facts()
    except ValidationError:
        # What runs is known from the keeper's record, so nothing is started twice; only the wishes are lost.
        log.exception("%s is damaged", path)
        return Facts(installed="yes", note="what this host remembered of it was damaged")


def directories_in_use(instances: Path) -> dict[str, str]:
    """Which server (by id) each known directory belongs to."""
    return {
        facts.directory: path.parent.name for path in instances.glob(f"*/{NAME}") if (facts := _load(path)).directory
    }
