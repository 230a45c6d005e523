"""Bans in words: what was typed, checked; and what an answer says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bot import clock
from bot.domain import ban_terms
from bot.domain.ban_terms import Term
from bot.domain.words import joined, safe
from bot.errors import Conflict, Invalid, Unsupported
from bot.services.bans_scope import Scope
from db.queries.ban_entries import Place
from db.queries.bans_write import Active

NOTE_MAX: Final = 1000
AGAIN: Final = "Look at it with `/ban show`, and give the command again to change it."


@dataclass(frozen=True)
class Target:
    """A server of a ban, and by which kinds of identity it would ban; none: its game cannot."""

    place: Place
    kinds: tuple[str, ...]


def one_line(text: str, what: str, limit: int) -> str:
    """Text that a player will read in a game.

    Raises:
        Invalid: it is empty, too long, or has a line break.
    """
    words = text.strip()
    if len(words) > limit:
        raise Invalid(f"{what} has {len(words)} characters; {limit} are possible.", "Shorten it; nothing was done.")
    if len(words.splitlines()) > 1 or "\0" in words:
        raise Invalid(f"{what} has a line break, which a game cannot show.", "Write one line; nothing was done.")
    seen = "".join(char for char in words if char.isprintable()).strip()
    if not seen:
        raise Invalid(f"{what} is empty.", "Say why; the player reads it.")
    return seen


def note(text: str) -> str:
    words = text.strip()
    if len(words) > NOTE_MAX:
        raise Invalid(f"The note has {len(words)} characters; {NOTE_MAX} are possible.", "Shorten it.")
    return words


def term(duration: str, zone: str) -> Term:
    try:
        return ban_terms.parse(duration[:200], clock.now(), zone)
    except ValueError as error:
        raise Invalid(str(error), ban_terms.TAKES) from error


def overtaken(case: Active | None, expected: int) -> Conflict:
    if case is None:
        what = f"B-{expected} has ended meanwhile" if expected else "Somebody else is banning this player just now"
        return Conflict(f"{what}; nothing was done.", "Give the command again.")
    return Conflict(f"{named(case.name)} is banned already: B-{case.number}. Nothing was done.", AGAIN)


def nowhere(where: Scope) -> Unsupported:
    able = [f"{safe(place.name)} bans by {', '.join(place.ban_by)}" for place in where.places if place.ban_by]
    remedy = "; ".join(able[:5]) + ". Nothing else is known of this player." if able else "`/server list` shows them."
    one = safe(where.places[0].name) if len(where.places) == 1 else "No server here"
    return Unsupported(f"{one} cannot ban this player." if able else f"{one} cannot ban anybody.", remedy)


def named(name: str) -> str:
    return safe(name) if name else "A player who was never seen"


def told(reason: str, until: datetime | None) -> dict[str, Any]:
    return {"reason": reason, "until": iso(until)}


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def where(number: int, targets: Sequence[Target], channel: int | None) -> str:
    """What the answer says: how many are told now, how many later, and where to follow it."""
    able = [target for target in targets if target.kinds]
    now = sum(target.place.up for target in able)
    words = [f"{now} of {len(able)} servers are being told now."] if len(able) > 1 else []
    waiting = joined([safe(target.place.name) for target in able if not target.place.up])
    words += [f"Told when they are back: {waiting}."] if waiting else []
    words.append(f"`B-{number}`" + (f" · <#{channel}>" if channel else " · `/ban show`"))
    return "\n".join(words)
