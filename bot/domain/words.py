"""Text that somebody else chose, made safe to be shown; and words in lists and after numbers."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

#: Control and format characters (bidirectional marks, joiners, tags, soft hyphens), halves of pairs, line separators.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_MARKDOWN: Final = re.compile(r"([\\*_`~|\[\]])")
_LINE_START: Final = re.compile(r"^(?:(#{1,3}\s|>|-#?\s)|([0-9]+)(\.\s))")


def safe(text: str, limit: int = 100) -> str:
    """A name, a reason, a log line: on one line, no Markdown, no mention, no link, no tricks with direction.

    At most twice `limit` characters: each may need a backslash."""
    seen = "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)
    flat = " ".join(seen.split())
    flat = flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"
    escaped = _LINE_START.sub(_no_line_start, _MARKDOWN.sub(r"\\\1", flat))
    return escaped.replace("@", "@\u200b").replace("<", "‹").replace("://", ":\u200b//")


def joined(words: Sequence[str], room: int = 600) -> str:
    """As many of the words as there is room for (in characters), and how many more there are."""
    shown, used = 0, 0
    while shown < len(words) and (not shown or used + len(words[shown]) + 2 <= room):
        used += len(words[shown]) + 2
        shown += 1
    rest = len(words) - shown
    return ", ".join(words[:shown]) + (f" and {rest} more" if rest else "")


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 player`, `3 players`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def storable(text: str) -> str:
    """Without NUL and halves of pairs, which PostgreSQL does not take and nobody types."""
    return text.replace("\0", "").encode(errors="ignore").decode()


def _no_line_start(match: re.Match[str]) -> str:
    """The backslash goes before the sign: before a digit Discord would show it."""
    return f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}"
