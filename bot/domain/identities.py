"""Who a player is: identities in one form, whatever the game writes, and which of them decide."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

#: Never kept as somebody's identity: a slot is a place in a list, an address is shared by a whole house.
_PASSING: Final = frozenset({"slot", "ip"})
#: Decides only where a game knows nothing better.
_WEAK: Final = "name"
_PREFIXES: Final = {"steam": "steam_", "eos": "eos_", "xuid": "xuid_"}
_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LONGEST: Final = 128
_NAMELESS: Final = "(no name)"


@dataclass(frozen=True)
class Person:
    """A player as a game lists them: untrusted, but in one form."""

    name: str
    identities: tuple[tuple[str, str], ...]
    """Lasting identities, the strongest first: the first known one says who it is."""
    address: str | None


def person(name: str, identities: Mapping[str, str]) -> Person | None:
    """Somebody as they are stored; None where nothing says who it is."""
    shown = plain(name)
    known = {kind: value for kind, raw in identities.items() if (value := normalise(kind, raw))}
    lasting = sorted((kind, value) for kind, value in known.items() if kind not in _PASSING and kind != _WEAK)
    if not lasting and (weak := known.get(_WEAK) or shown):
        lasting = [(_WEAK, weak)]
    return Person(shown or _NAMELESS, tuple(lasting), known.get("ip")) if lasting else None


def normalise(kind: str, raw: str) -> str:
    """An identity as it is compared and stored; empty where it cannot be one."""
    value = plain(raw)
    match kind:
        case "ip":
            return _address(value)
        case "steam" | "eos" | "xuid":
            value = value[len(_PREFIXES[kind]) :] if value.lower().startswith(_PREFIXES[kind]) else value
            return value.lower()
        case "name":
            return value
        case _:
            return value.lower() if _UUID.fullmatch(value) else value


def plain(text: str) -> str:
    """A name without what cannot be seen: control characters and marks that turn the direction of writing."""
    return _UNPRINTABLE.sub("", text).strip()[:_LONGEST].strip()


def _address(value: str) -> str:
    try:
        address = ip_address(value.strip("[]").split("%", 1)[0])
    except ValueError:
        return ""
    return str((address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address)
