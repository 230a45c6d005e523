"""A line with places for values that somebody typed: each becomes one argument, and never a command."""

import re
from collections.abc import Mapping
from typing import Final

from games.consoles.quoting import bare, inside, parts, quote
from games.sections.console import ConsoleSpec, Quoting

_SPOT: Final = re.compile(r"\{\{([a-z][a-z0-9_]{0,31})\}\}")
_STAND_IN: Final = "\ue000"
"""Of no use to anybody, so nobody types it."""


def with_values(spec: ConsoleSpec, line: str, values: Mapping[str, str]) -> str:
    """The line with each value quoted in its place. What looks like a place inside of a value stays as it is.

    Raises:
        ValueError: with a sentence; a value could become more than one argument.
    """
    quoting = spec.quoting
    for value in values.values():
        # Even quoted: some games keep a quoted argument and run it later, as a line of its own.
        special = next((char for char in (quoting.separator, quoting.comment) if char and char in value), "")
        if special or _STAND_IN in value:
            raise ValueError(f"A value contains `{special}`, which has a meaning in this game's console.")
    filled = _filled(quoting, line, values)
    alike = _filled(quoting, line, dict.fromkeys(values, _STAND_IN))
    if _shape(quoting, filled) != _shape(quoting, alike):
        raise ValueError("A value would change what the rest of the line does.")
    if any(bare(part.replace('"', "")).startswith(_STAND_IN) for part in parts(quoting, alike)):
        raise ValueError("A value stands where the command would stand.")
    return filled


def _filled(quoting: Quoting, line: str, values: Mapping[str, str]) -> str:
    built, done = "", 0
    for spot in _SPOT.finditer(line):
        if spot[1] not in values:
            continue
        built += line[done : spot.start()]
        quoted = quote(quoting, values[spot[1]])
        built += quoted[1:-1] if inside(quoting, built) else quoted
        done = spot.end()
    return built + line[done:]


def _shape(quoting: Quoting, line: str) -> tuple[int, bool, bool]:
    """How many commands it is, whether a comment cuts it, and whether a quote is left open."""
    found = list(parts(quoting, line))
    cut = sum(map(len, found)) + len(found) - 1 != len(line)
    return len(found), cut, inside(quoting, line)
