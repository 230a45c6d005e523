"""`{name}` in the strings of a template."""

import re
from collections.abc import Iterable, Mapping

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*(?::[a-z][a-z0-9_]*)?)\}")


def names(texts: Iterable[str]) -> set[str]:
    """All names that occur in them, e.g. `dir` or `q:reason`."""
    return {name for text in texts for name in _PLACEHOLDER.findall(text)}


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace every placeholder once: a value that looks like a placeholder stays as it is. Unknown: ValueError."""

    def value(found: re.Match[str]) -> str:
        try:
            return values[found[1]]
        except KeyError:
            raise ValueError(f"`{found[0]}` in `{text}` has no value.") from None

    return _PLACEHOLDER.sub(value, text)
