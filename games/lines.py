"""What may stand in one line of a console, a file or a command."""

import unicodedata
from typing import Final

_CONTROL: Final = {"Cc", "Cs"}  # a lone surrogate cannot be sent at all
_SEPARATORS: Final = {"\u2028", "\u2029"}


def _breaks(character: str) -> bool:
    return unicodedata.category(character) in _CONTROL or character in _SEPARATORS


def one_line(text: str) -> bool:
    """Whether it is free of line breaks, NUL and other control characters. Emoji and their joiners are fine."""
    return not any(_breaks(character) for character in text)


def shortened(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, whole characters only; what was cut ends in `…`."""
    data = text.encode(errors="replace")
    if len(data) <= most:
        return text
    return data[: most - len("…".encode())].decode(errors="ignore").rstrip() + "…"


def cleaned(text: str, longest: int) -> str:
    """The text as one line of at most `longest` characters; for what comes from a game."""
    return "".join(c for c in text if not _breaks(c))[:longest]
