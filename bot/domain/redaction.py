"""What lets somebody in, taken out of texts that are kept."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

LONGEST: Final = 512
"""Characters of a text that are kept: as many as a console takes."""
_IN_ADDRESS: Final = re.compile(r"(?<=://)[^\s/?#\\]+(?=@)")
"""The name and password in an address."""
_GIVEN: Final = re.compile(
    r"""(?ix) ( \b \w* (?: token | passw(?:or)?d | secret | signature ) \w* \s* [=:] \s*
              | [?&] [^\s=&#]* (?: key | sig | auth ) [^\s=&#]* =
              | \b \w+ _ (?: token | passw(?:or)?d | secret | key ) \s+ )
              ( "[^"]*" | [^\s&#"]+ )"""
)
"""`password=…`, `?X-Signature=…`, `sv_rcon_password …`: a name that says what follows it."""


def without_secrets(text: str) -> str:
    """A text as it may be kept."""
    return _GIVEN.sub(r"\1…", _IN_ADDRESS.sub("…", text))


def kept(value: Any) -> Any:
    """The same for whatever JSON holds, with each text cut to `LONGEST` characters."""
    match value:
        case str():
            return without_secrets(value)[:LONGEST]
        case Mapping():
            return {key: kept(one) for key, one in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [kept(one) for one in cast("list[Any]", value)]
        case _:
            return value
