"""custom_ids of buttons, selects and forms: `gk:<route>:<args>`. What they route survives a restart."""

import re
from enum import Enum
from typing import Final, Self
from uuid import UUID

ROUTE: Final = re.compile(r"gk:(?P<route>[a-z_]+(?:\.[a-z_]+)*)(?::(?P<args>.*))?", re.DOTALL)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
LIMIT: Final = 100
"""Discord's limit for a custom_id."""


class Switch(Enum):
    """An argument that says whether something shall be so."""

    ON = "on"
    OFF = "off"


class Short(int):
    """A number that a custom_id carries in base 36, so that several long ones fit. Read from such a text, or wrapped
    around a number to be carried.

    Raises:
        ValueError: the text is no such number.
    """

    def __new__(cls, value: int | str) -> Self:
        number = int(value, 36) if isinstance(value, str) else value
        if number < 0:
            raise ValueError(f"{number} is below 0")
        return super().__new__(cls, number)

    def __str__(self) -> str:
        digits, rest = "", int(self)
        while rest:
            rest, digit = divmod(rest, 36)
            digits = _DIGITS[digit] + digits
        return digits or "0"


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
