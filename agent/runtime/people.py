"""Which of the players on a server somebody means. Names are chosen by players: they never decide alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from games.consoles import PlayerRow
from games.sections.people import Identity


@dataclass(frozen=True)
class Found:
    """The player, or a sentence that says why there is none."""

    row: PlayerRow | None
    reason: str = ""


def find(wanted: Mapping[str, str], name: str, rows: Sequence[PlayerRow], identity: Identity) -> Found:
    """Look for one player: by a durable identity, or else by address and name together.

    Whoever shares a durable identity is the person, whatever they call themselves now. A contradiction in one durable
    identity is a different person, even if another one agrees: then nobody is touched.
    """
    durable = {kind: value for kind, value in wanted.items() if _is_durable(kind, identity)}
    if durable:
        return _one([row for row in rows if _shares(row, durable)], rows, durable, name)
    if "ip" not in wanted:
        return Found(None, f"`{name}` is known by name only, and anybody can take a name. Nobody was kicked.")
    same = [row for row in rows if row.identities.get("ip") == wanted["ip"] and row.name == name]
    return _one(same, rows, {}, name)


def is_same(row: PlayerRow, other: PlayerRow) -> bool:
    """Is this the very connection that was found before? A slot is given to the next one who joins."""
    return row.slot == other.slot and row.name == other.name and row.identities == other.identities


def _is_durable(kind: str, identity: Identity) -> bool:
    return any(known == kind and spec.durable for known, spec in identity.kinds.items())


def _shares(row: PlayerRow, durable: Mapping[str, str]) -> bool:
    return any(row.identities.get(kind) == value for kind, value in durable.items())


def _one(found: Sequence[PlayerRow], rows: Sequence[PlayerRow], durable: Mapping[str, str], name: str) -> Found:
    if len(found) > 1:
        return Found(None, f"{len(found)} players on the server match `{name}`; nobody was kicked.")
    if not found:
        elsewhere = " (somebody else of that name is)" if any(row.name == name for row in rows) else ""
        return Found(None, f"`{name}` is not on the server{elsewhere}.")
    row = found[0]
    other = [kind for kind, value in durable.items() if row.identities.get(kind, value) != value]
    if other:
        return Found(None, f"A player matches `{name}` in part, but has another {other[0]} id; nobody was kicked.")
    return Found(row)
