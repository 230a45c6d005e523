"""Lines on their way in: quoting values, and what a person's own line may not do."""

import itertools
import unicodedata
from collections.abc import Iterator
from typing import Final

from games.lines import one_line
from games.sections.console import ConsoleSpec, Quoting

LINE_MAX: Final = 512
"""Characters of a person's line."""


def quote(quoting: Quoting, text: str) -> str:
    """The text as one argument. ValueError when it is not one line."""
    if not one_line(text):
        raise ValueError("The text contains a line break or another control character.")
    if quoting.style == "double_quote_doubled":
        return '"' + text.replace('"', '""') + '"'
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    # Teeworlds looks for `;` with a simpler parser than the one for arguments: there `\\"` does not close the quotes.
    return f'"{escaped} "' if escaped.endswith("\\") else f'"{escaped}"'


def refusal(spec: ConsoleSpec, line: str) -> str:
    """Why a person's line is not sent, as a sentence; empty when it may be."""
    if not line.strip():
        return "The line is empty."
    if len(line) > LINE_MAX:
        return f"The line has {len(line)} characters; {LINE_MAX} are allowed."
    if not one_line(line.replace("\t", " ")):
        return "The line contains a line break or another control character."
    return too_long(spec, line) or _forbidden(spec, line)


def too_long(spec: ConsoleSpec, line: str) -> str:
    """Why the game would cut the line; empty when it fits."""
    size = len(line.encode())
    return f"The line has {size} bytes; the game takes {spec.max_command}." if size > spec.max_command else ""


def _forbidden(spec: ConsoleSpec, line: str) -> str:
    for part in parts(spec.quoting, line):
        # Some games take a quoted word for a command, so look at it with and without its quotes.
        for text in (bare(part), bare(part.replace('"', ""))):
            if any(pattern.matches(text) for pattern in spec.forbid):
                word = text.split()[0]
                return f"`{word[:40]}` reaches files, secrets or the console of the host and cannot be sent from here."
    return ""


def bare(part: str) -> str:
    """Without what a game may skip before a command: .NET trims every blank of Unicode, old Mono invisible ones too."""
    skipped = itertools.takewhile(lambda c: c.isspace() or unicodedata.category(c) == "Cf", part)
    return part[sum(1 for _ in skipped) :].rstrip()


def inside(quoting: Quoting, line: str) -> bool:
    """Whether what follows the line would stand between quotes."""
    if quoting.style == "double_quote_backslash":
        line = line.replace('\\"', "")
    return line.count('"') % 2 == 1


def parts(quoting: Quoting, line: str) -> Iterator[str]:
    """The commands that the game makes of one line, cut as the game cuts it."""
    start, inside, at = 0, False, 0
    while at < len(line):
        character = line[at]
        if quoting.style == "double_quote_backslash" and line.startswith('\\"', at):
            at += 1
        elif character == '"':
            inside = not inside
        elif not inside and character == quoting.comment:
            break
        elif not inside and character == quoting.separator:
            yield line[start:at]
            start = at + 1
        at += 1
    yield line[start:at]
