"""What lines mean: an action as a line, an answer as an outcome, a list as rows. Never sees a socket."""

from collections.abc import Iterable, Mapping
from typing import Final

from games.bans import ban_context
from games.consoles.answer import Answer, PlayerRow
from games.consoles.quoting import quote, too_long
from games.lines import cleaned, shortened
from games.placeholders import fill
from games.sections.actions import Action
from games.sections.console import ConsoleSpec
from games.sections.people import Identity, IdentityKind, Listing, Players

NAME_MAX: Final = 128
"""Characters of a player's name or identity."""
REASON_MAX: Final = 300
"""Characters of the game's words in a reason."""


def action_line(spec: ConsoleSpec, identity: Identity, action: Action, values: Mapping[str, str]) -> str:
    """The line that does it. ValueError with a sentence when a value is missing or would not stay one argument."""
    context = ban_context(identity, action, values)
    for name in action.quoted & values.keys():
        text = shortened(values[name], action.cut[name]) if name in action.cut else values[name]
        context[f"q:{name}"] = quote(spec.quoting, text)
    for kind, described in identity.kinds.items():
        if kind in action.identities and kind in values:
            context[kind] = described.written(values[kind])
    line = fill(action.send, context)
    if reason := too_long(spec, line):
        raise ValueError(reason)
    return line


def judge(spec: ConsoleSpec, action: Action, values: Mapping[str, str], lines: tuple[str, ...]) -> Answer:
    """The outcome that the game's words prove. Words that prove nothing: unknown."""
    for line in lines:
        if any(p.matches(line) for p in (*action.fail.values(), *spec.errors)):
            return Answer("refused", lines, f"The game refused: {_words(spec, line)}")
    if action.ok_silent or action.closes or any(_confirms(action, values, line) for line in lines):
        return Answer("answered", lines)
    return Answer("unknown", lines, "The game did not confirm it.")


def _words(spec: ConsoleSpec, line: str) -> str:
    parts = spec.says.groups(line) if spec.says is not None else None
    return cleaned(line if parts is None else parts["text"], REASON_MAX)


def _confirms(action: Action, values: Mapping[str, str], line: str) -> bool:
    found = action.ok.groups(line) if action.ok is not None else None
    return found is not None and all(values.get(name, value) == value for name, value in found.items())


def rows(listing: Listing, lines: Iterable[str]) -> tuple[list[dict[str, str]], bool]:
    """The rows of a list, and whether it is whole."""
    found: list[dict[str, str]] = []
    counts: list[str] = []
    strange = False
    for line in lines:
        if (row := listing.each.groups(line)) is not None:
            found.append(row)
        elif listing.count is not None and (total := listing.count.groups(line)) is not None:
            counts.append(total["n"])
        else:
            strange = strange or not any(p.matches(line) for p in listing.other)
    return found, counts == [str(len(found))] if listing.count is not None else not strange


def player_rows(players: Players, identity: Identity, lines: Iterable[str]) -> tuple[list[PlayerRow], bool]:
    """The players of an answer, and whether these are all."""
    found, complete = rows(players, lines)
    people = [_player(players, identity, row) for row in found]
    slots = [p.slot for p in people if p.slot is not None]
    return people, complete and len(slots) == len(set(slots))


def _player(players: Players, identity: Identity, row: Mapping[str, str]) -> PlayerRow:
    identities: dict[str, str] = {}
    for group, written in row.items():
        if written in players.unknown_values or not written:
            continue
        for kind, described in identity.kinds.items():
            value = _identity(described, kind, group, written)
            if value is not None:
                identities[kind] = cleaned(value, NAME_MAX)
    return PlayerRow(cleaned(row["name"], NAME_MAX), row.get("slot"), identities)


def _identity(described: IdentityKind, kind: str, group: str, written: str) -> str | None:
    """The value when what the game wrote is of this kind. A slot is no identity: tomorrow it is somebody else."""
    if kind == "slot":
        return None
    if group == kind:
        return described.read(written) or described.canonical(written)
    tells = described.format != "{value}"
    return described.read(written) if tells and group.startswith("id_") else None
