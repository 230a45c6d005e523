"""Who this host is to the bot: its id and its keys, 0600 in the state directory."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import ConfigError
from agent.files import make_private, write_private

FILE: Final = "identity.json"
LOCK: Final = "agent.lock"


class Identity(BaseModel):
    """What pairing gave. Never logged: `repr` leaves the keys out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host_id: UUID
    key: str
    previous_key: str | None = None
    """Still valid until the bot has accepted `key` once."""

    def __repr__(self) -> str:
        return f"Identity({self.host_id})"

    def rotated(self, key: str) -> Self:
        """With a new key that nobody has tried yet; the present one stays until it was accepted."""
        return self.model_copy(update={"key": key, "previous_key": self.key})

    def confirmed(self) -> Self:
        """The new key was accepted: the old one is of no more use."""
        return self.model_copy(update={"previous_key": None})


class IdentityFile:
    """Reads and replaces the identity of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE

    def exists(self) -> bool:
        """Was this host paired?"""
        return self.path.exists()

    def load(self) -> Identity:
        """Raises `ConfigError` when the host is not paired or the file is not ours to read."""
        try:
            return Identity.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            raise ConfigError("This host is not paired: run `gamekeeper-agent pair URL TOKEN`.") from None
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be read: {error.strerror}.") from None
        except ValidationError:
            raise ConfigError(f"{self.path} is damaged: pair this host again with `--again`.") from None

    def save(self, identity: Identity) -> None:
        """Replace it. Raises `OSError`."""
        make_private(self.path.parent)
        write_private(self.path, identity.model_dump_json() + "\n")


class StateLock:
    """Held while an agent runs on a state directory. A second one would run the same jobs again."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / LOCK
        self._fd = -1

    def __enter__(self) -> Self:
        """Raises `ConfigError` when another agent holds it."""
        try:
            make_private(self._path.parent)
            self._fd = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(f"{self._path.parent} cannot be written: {error.strerror}.") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._fd)
            raise ConfigError(f"Another agent is already running on {self._path.parent}.") from None
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
