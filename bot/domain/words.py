"""Text that somebody else chose, made safe to be shown."""

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MARKDOWN: Final = re.compile(r"([\\*_`~|\[\]])")
_LINE_START: Final = re.compile(r"^(#{1,3}\s|>|-#?\s|\d+\.\s)")


def safe(text: str, limit: int = 100) -> str:
    """A name, a reason, a log line: on one line, no Markdown, no mention, no link, no tricks with direction."""
    flat = " ".join(_CONTROL.sub(" ", text).split())
    flat = flat if len(flat) <= limit else flat[: limit - 1] + "…"
    escaped = _LINE_START.sub(r"\\\1", _MARKDOWN.sub(r"\\\1", flat))
    return escaped.replace("@", "@\u200b").replace("<", "‹").replace("://", ":\u200b//")
