"""The values of a server's variables: what people chose, what its own files say, and secrets made on this host."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from agent.errors import TaskFailed
from agent.files import make_private, write_beside, write_private
from agent.runtime.home import Home, check_file
from games import adoption, config_files
from games.catalog import GameTemplate
from games.resolved import ResolvedFile, ResolvedTemplate

log = logging.getLogger(__name__)

_VALUES: Final = TypeAdapter(dict[str, str])


class Settings:
    """Kept in `values.json` (0600), since the console's password is one of them. It never leaves the host."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "values.json"

    def resolve(self, template: GameTemplate, home: Home, chosen: Mapping[str, str]) -> ResolvedTemplate:
        """The template with today's values, which are kept. Raises `TaskFailed` when one does not fit."""
        kept = self._load()
        secrets = {**template.new_secrets(), **_only_secrets(template, kept)}
        found = _found(template, home) if home.adopted else {}
        try:
            values = {**secrets, **found, **template.check_public(chosen)}
            resolved = template.resolve(home.path, values)
        except ValueError as error:
            raise TaskFailed(str(error)) from None
        if resolved.values != kept:
            make_private(self._path.parent)
            write_private(self._path, json.dumps(dict(resolved.values)))
        return resolved

    def last(self, template: GameTemplate, home: Home) -> ResolvedTemplate:
        """The template with the values that were kept last: those of the running game."""
        kept = {name: value for name, value in self._load().items() if name in template.vars}
        try:
            return template.resolve(home.path, kept)
        except ValueError as error:
            raise TaskFailed(str(error)) from None

    def keep(self, template: GameTemplate, home: Home, name: str, value: str) -> ResolvedTemplate:
        """The running game has taken another value for this variable. Raises `OSError`."""
        write_private(self._path, json.dumps({**self._load(), name: value}))
        return self.last(template, home)

    def _load(self) -> dict[str, str]:
        """Nothing where the file is damaged: the next start gives the game new secrets."""
        try:
            return _VALUES.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except ValidationError:
            log.error("%s is damaged", self._path)
            return {}


def write_config(home: Home, resolved: ResolvedTemplate) -> None:
    """Bring the game's configuration files in step; what is not ours in them stays."""
    for file in resolved.config_files:
        check_file(home, file.path)
        try:
            _write(file)
        except OSError as error:
            raise TaskFailed(f"{file.path.name} cannot be written: {error.strerror}.") from None
        except ValueError as error:
            raise TaskFailed(f"{file.path.name} cannot be written: {error}") from None


def _write(file: ResolvedFile) -> None:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    old = _text(file.path)
    new = config_files.write(file.format, old, file.settings, keep=file.keep)
    if new != old:
        write_beside(file.path, new)


def _only_secrets(template: GameTemplate, values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name in template.vars and template.vars[name].secret}


def _found(template: GameTemplate, home: Home) -> dict[str, str]:
    """Values that an existing server's files give to variables; an empty password counts as none."""
    try:
        values = adoption.read_values(template, home.path)
    except ValueError as error:
        raise TaskFailed(f"The configuration that is there cannot be read: {error}") from None
    return {name: value for name, value in values.items() if value or not template.vars[name].secret}


def _text(path: Path) -> str:
    """A file of a game's is in no certain encoding: what is not UTF-8 survives unread."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
