"""What can be asked of a game over its console, and how its answer is judged."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from games.patterns import Regex
from games.placeholders import names
from games.sections.bans import Duration, Verify
from games.sections.base import Section

BAN_VALUES: Final = frozenset({"target", "duration", "unit"})
"""What `ban` and `unban` send besides: whom (one of `ban_by`), and for how long."""


class Action(Section):
    """One line to send. Values are quoted (`{q:reason}`) or checked as an identity (`{slot}`); nothing else goes in."""

    send: Annotated[str, Field(pattern=r"^[^\r\n\x00]+$")]
    ok: Regex | None = None
    """Anchored. A group with the name of a value must equal it."""
    ok_silent: bool = False
    """Saying nothing is its success."""
    fail: dict[str, Regex] = Field(default={})
    """Anchored, because names and reasons come back in answers."""
    closes: bool = False
    """The game ends: a closed connection is its answer."""
    cut: dict[str, Annotated[int, Field(ge=16)]] = Field(default={})
    """Bytes of a quoted value: beyond, the game would cut it in the middle of a letter, or refuse the line."""
    duration: Duration | None = None
    drops_player: bool = True
    """Of a ban: whoever is on is disconnected by it; else we kick as well."""
    verify: Verify | None = None

    @model_validator(mode="after")
    def _judgeable(self) -> Self:
        if self.ok is None and not (self.ok_silent or self.closes):
            raise ValueError("an action needs `ok`, `ok_silent` or `closes`: else its outcome is never known")
        loose = [p.source for p in (self.ok, *self.fail.values()) if p is not None and not p.source.startswith("^")]
        if loose:
            raise ValueError(f"`ok` and `fail` begin with ^, or a player's name could say them: {', '.join(loose)}")
        return self

    @property
    def quoted(self) -> frozenset[str]:
        """Names of the values that are quoted."""
        return frozenset(n.removeprefix("q:") for n in names([self.send]) if n.startswith("q:"))

    @property
    def identities(self) -> frozenset[str]:
        """Names of the values that are kinds of identity."""
        return frozenset(n for n in names([self.send]) if ":" not in n) - BAN_VALUES
