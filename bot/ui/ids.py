"""custom_ids of buttons, selects and forms: `gk:<route>:<args>`. What they route survives a restart."""

import re
from typing import Final
from uuid import UUID

ROUTE: Final = re.compile(r"gk:(?P<route>[a-z_]+(?:\.[a-z_]+)*)(?::(?P<args>.*))?", re.DOTALL)
LIMIT: Final = 100
"""Discord's limit for a custom_id."""


def custom_id(route: str, *args: str | int | UUID) -> str:
    """The id of a component that leads to `@action(route)` with these arguments.

    Raises:
        ValueError: it would be longer than Discord allows, or an argument holds the separator.
    """
    plain = [arg.hex if isinstance(arg, UUID) else str(arg) for arg in args]
    if any(":" in arg for arg in plain):
        raise ValueError(f"{route}: an argument holds ':'")
    built = ":".join(["gk", route, *plain])
    if len(built) > LIMIT or not ROUTE.fullmatch(built):
        raise ValueError(f"not a custom_id: {built!r}")
    return built
