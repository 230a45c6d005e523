"""What this host remembers of the mods that it installed, in a server's `mods.json`."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.files import make_private, write_private

log = logging.getLogger(__name__)

NAME: Final = "mods.json"


class Installed(BaseModel):
    """A mod as it was placed."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    deployment_id: UUID
    sha256: str
    """Of the artifact."""
    name: str
    """What the game calls it."""
    version: str
    files: dict[str, str]
    """SHA-256 by path, relative to the mod's folder: what differs from it was edited on the host."""


class Chosen(BaseModel):
    """A variable that a deployment has set, so that the game begins with it after a restart."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    value: str
    instead_of: str | None
    """What people had chosen then. When they choose anew, theirs counts again."""


class UnderWay(BaseModel):
    """A deployment that was begun. An agent that goes on with it finds the game as the one before has left it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    deployment_id: UUID
    ran: bool
    """The game did, so it has to in the end; it may have died of the new version meanwhile."""


class Facts(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    installed: dict[str, Installed] = {}
    """By the name of the folder, or of the file."""
    chosen: dict[str, Chosen] = {}
    """By the name of the variable."""
    under_way: UnderWay | None = None
    revision: int = 0
    """Of the inventory; grows when that changes."""
    inventory: str = ""
    """A digest of the inventory of that revision."""


class Records:
    """The facts, written to disk at every change."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self.facts = _load(self._path)

    def update(self, **changes: Any) -> None:
        """Change some facts. Raises `OSError`; then they are as before."""
        facts = Facts.model_validate({**self.facts.model_dump(), **changes})
        if facts != self.facts:
            make_private(self._path.parent)
            write_private(self._path, facts.model_dump_json())
            self.facts = facts

    def values(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """People's values, with those that deployments have set since."""
        ours = {name: one.value for name, one in self.facts.chosen.items() if one.instead_of == wanted.get(name)}
        return {**wanted, **ours}


def _load(path: Path) -> Facts:
    try:
        return Facts.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Facts()
    except ValidationError:
        log.error("%s is damaged: mods count as put there by somebody else", path)
        return Facts()
