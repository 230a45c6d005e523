"""Taking over a server that somebody set up by hand: its configuration files say what its variables are."""

import re
from pathlib import Path
from typing import Final

from games import config_files
from games.catalog import GameTemplate

_WHOLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def read_values(template: GameTemplate, directory: Path) -> dict[str, str]:
    """The variables, secrets included, that the directory's files hold; what is missing or odd there is left out.

    ValueError when a file exists and is not of its format, or lacks what cannot be guessed: better left alone.
    """
    found: dict[str, str] = {}
    for file in template.config_files:
        path = directory / file.path
        if path.is_file():
            settings = config_files.read(file.format, path.read_text(encoding="utf-8", errors="surrogateescape"))
            if missing := [key for key in file.keep if not settings.get(key)]:
                raise ValueError(f"{file.path} does not say `{missing[0]}`: set it to what the server uses now.")
            for key, text in file.set.items():
                _take(template, found, text, settings.get(key, file.absent.get(key)))
    return found


def _take(template: GameTemplate, found: dict[str, str], text: str, value: str | None) -> None:
    name = _WHOLE.fullmatch(text)
    if name is None or value is None or name[1] not in template.vars:
        return
    try:
        found[name[1]] = template.vars[name[1]].check(name[1], value)
    except ValueError:
        return  # the file holds what we would not write; the default or a new secret replaces it
