"""`key "value"` lines, as the console of Teeworlds reads them."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from games.lines import one_line

_KEY: Final = re.compile(r"[a-z_][a-z0-9_]*\Z")
_LINE: Final = re.compile(r'\s*(?P<key>[A-Za-z_]\w*)\s+(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<bare>[^;#]*))')


def write(old: str, settings: Mapping[str, str]) -> str:
    """Our settings go to the end, where they count whatever stands above; our former lines go away."""
    kept = [line for line in _split(old) if _key(line) not in settings]
    return "".join(f"{line}\n" for line in (*kept, *_lines(settings)))


def read(text: str) -> dict[str, str]:
    """The settings of a file, the last of each."""
    found: dict[str, str] = {}
    for line in _split(text):
        if (match := _LINE.match(line)) is not None:
            quoted: str | None = match["quoted"]
            value = match["bare"].strip() if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
            found[match["key"].lower()] = value
    return found


def _split(text: str) -> list[str]:
    """Only a line feed ends a line of the game; Python's idea would tear a message with a form feed apart."""
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _key(line: str) -> str:
    match = _LINE.match(line)
    return match["key"].lower() if match else ""


def _lines(settings: Mapping[str, str]) -> Iterator[str]:
    for key, value in settings.items():
        if not _KEY.match(key):
            raise ValueError(f"`{key}` is not the name of a setting.")
        if not one_line(value):
            raise ValueError(f"`{key}` contains a line break or another control character.")
        # A file is cut at `;` by a parser for which `\\"` does not close the quotes: nothing follows them on the line.
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        yield f'{key} "{escaped}"'
