"""Tags of servers: the words by which several are meant at once."""

import re
from typing import Final

MOST: Final = 10
"""Tags that one server has."""
_TAG: Final = re.compile(r"[a-z0-9_-]{1,32}\Z")


def parse(text: str) -> tuple[str, ...]:
    """`EU, pvp` as tags, each once, in the order in which they were typed.

    Raises:
        ValueError: with a sentence; one of the words can be no tag.
    """
    words = dict.fromkeys(text.replace(",", " ").lower().split())
    wrong = next((word for word in words if not _TAG.match(word)), None)
    if wrong is not None:
        raise ValueError(f"{wrong[:40]} can be no tag: a tag has 1 to 32 of a-z, 0-9, _ and -")
    return tuple(words)


def completed(typed: str, known: list[str]) -> list[str]:
    """For autocompletes of several: what was typed, with its last word replaced by each tag that begins like it."""
    words = typed.replace(",", " ").lower().split()
    last = words.pop() if words and typed[-1] not in ", " else ""
    return [", ".join([*words, tag]) for tag in known if tag.startswith(last) and tag not in words]
