"""Ids of people who may never have been seen, as people type them: `steam:7656…`, `EOS_0002…`, an address."""

import re
from collections.abc import Collection
from typing import Final

from bot.domain.identities import normalise

Identity = tuple[str, str]
"""Kind and value, in the form that is stored."""
MOST: Final = 20
"""Identities of one person that a host is told."""

_FORMS: Final = {
    "steam": re.compile(r"7656119[0-9]{10}"),
    "eos": re.compile(r"[0-9a-f]{32}"),
    "minecraft": re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}"),
    "xuid": re.compile(r"[0-9]{15,17}"),
}
_PREFIX: Final = re.compile(r"(steam|eos|xuid|minecraft|ip)[:_]\s*(.+)", re.IGNORECASE)
#: Tried in this order where no kind is named: the digits of a SteamID could be an xuid, too.
_GUESSED: Final = ("steam", "eos")
EXAMPLES: Final = "`steam:76561198000000001`, `eos:0002…` or an address"


def typed(text: str) -> Identity | None:
    """The identity that somebody typed; None where it reads like a name.

    Raises:
        ValueError: with a sentence, where a kind is named and the value cannot be one.
    """
    words = text.strip()
    if match := _PREFIX.fullmatch(words):
        return _named(match[1].lower(), match[2])
    guessed = next(((kind, words.lower()) for kind in _GUESSED if _FORMS[kind].fullmatch(words.lower())), None)
    if guessed:
        return guessed
    address = normalise("ip", words) if "." in words or ":" in words else ""
    return ("ip", address) if address else None


def _named(kind: str, raw: str) -> Identity:
    value = normalise(kind, raw)
    if kind == "minecraft":
        value = value.lower()
    form = _FORMS.get(kind)
    if not value or (form and not form.fullmatch(value)):
        raise ValueError(f"That is no {kind} id. Ids look like {EXAMPLES}.")
    return kind, value


def foremost(identities: Collection[Identity]) -> list[Identity]:
    """As many as a host can be told of one person, addresses last."""
    return sorted(identities, key=lambda one: (one[0] == "ip", one))[:MOST]


def decisive(kinds: Collection[str]) -> list[str]:
    """Of the kinds by which a game could ban somebody those by which it does: by an address only where it knows nothing
    better."""
    return sorted(set(kinds) - {"ip"}) or sorted(kinds)


def usable(kinds: Collection[str], ban_by: Collection[str], capabilities: Collection[str]) -> list[str]:
    """By which kinds of identity a game can ban somebody who has these; empty: it cannot."""
    return sorted(set(kinds) & set(ban_by)) if "ban" in capabilities else []
