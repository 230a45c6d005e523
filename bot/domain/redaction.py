"""What lets somebody in, taken out of texts that are kept."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, cast

from bot.domain.words import storable

LONGEST: Final = 512
"""Characters of a text that are kept: as many as a console takes."""
_READ: Final = 2 * LONGEST
"""Characters that are looked through; what a client sends may be much longer."""
_IN_ADDRESS: Final = re.compile(r"(?<=://)[^\s/?#\\]+(?=@)")
"""The name and password in an address."""
# each part has an end: of a text that is made for it, anything longer would be tried out for seconds
_GIVEN: Final = re.compile(
    r"""(?ix) ( \b \w{0,24} (?: token | passw(?:or)?d | secret | signature ) \w{0,24} \s{0,2} [=:] \s{0,2}
              | [?&] [\w.-]{0,24} (?: key | sig | auth ) [\w.-]{0,24} =
              | \b \w{1,24} _ (?: token | passw(?:or)?d | secret | key ) \s{1,2} )
              ( "[^"]{0,256}" | [^\s&#"]+ )"""
)
"""`password=…`, `?X-Signature=…`, `sv_rcon_password …`: a name that says what follows it."""


def without_secrets(text: str) -> str:
    """The beginning of a text as it may be kept."""
    return _GIVEN.sub(r"\1…", _IN_ADDRESS.sub("…", text[:_READ]))[:LONGEST]


def kept(value: Any) -> Any:
    """The same for whatever JSON holds: texts of at most `LONGEST` characters, and nothing that PostgreSQL refuses."""
    match value:
        case str():
            return without_secrets(storable(value))
        case float() if not isfinite(value):
            return str(value)
        case Mapping():
            return {kept(key): kept(one) for key, one in cast("Mapping[str, Any]", value).items()}
        case list() | tuple():
            return [kept(one) for one in cast("list[Any]", value)]
        case _:
            return value
