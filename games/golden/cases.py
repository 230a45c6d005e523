"""Recorded conversations that ship with a template, as data."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from games.sections.base import Section
from games.sections.log import Event

NONCE = "0123456789abcdef"
"""What stands for {nonce} in recorded fences."""


class LoginCase(Section):
    """What the console says before it takes commands, and how that ends."""

    do: Literal["login"]
    received: tuple[str, ...]
    """Records without their ends, as in all cases."""
    password: str = "secret"  # noqa: S105 - a recorded one, of nobody
    state: Literal["waiting", "in", "bad", "locked"]


class PlayersCase(Section):
    """The answer to the list of players: rows as (slot, name, identities)."""

    do: Literal["players"]
    received: tuple[str, ...]
    rows: tuple[tuple[str | None, str, dict[str, str]], ...]
    complete: bool = True


class BansCase(Section):
    """The answer to the list of bans: rows as (kind, value, its end at the latest; None: never)."""

    do: Literal["bans"]
    asked: datetime
    """Times of the case are those of the game's clock, without a zone."""
    received: tuple[str, ...]
    rows: tuple[tuple[str, str, datetime | None], ...]
    complete: bool = True


class ModsCase(Section):
    """The answer to the list of mods."""

    do: Literal["mods"]
    received: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


class CautionCase(Section):
    """What the game answers to the questions for its time and for how often a time to mind comes."""

    do: Literal["caution"]
    clock: tuple[str, ...]
    every: tuple[str, ...]
    mood: Literal["now", "soon", ""]


class ActionCase(Section):
    """An action: the line it becomes, the answer, and how that is judged."""

    do: Literal["action"]
    name: str
    values: dict[str, str] = Field(default={})
    sends: str
    received: tuple[str, ...] = ()
    outcome: Literal["answered", "refused", "unknown"]


class CommandCase(Section):
    """A person's line, and those of the records that are its answer."""

    do: Literal["command"]
    line: str
    received: tuple[str, ...]
    lines: tuple[str, ...]


class LinesCase(Section):
    """Lines of people that are refused, and lines that are not."""

    do: Literal["lines"]
    refused: tuple[str, ...] = ()
    sent: tuple[str, ...] = ()


class LogCase(Section):
    """A record of the log, and what it tells."""

    do: Literal["log"]
    record: str
    event: Event | None
    values: dict[str, str] = Field(default={})


Case = Annotated[
    LoginCase | PlayersCase | BansCase | ModsCase | CautionCase | ActionCase | CommandCase | LinesCase | LogCase,
    Field(discriminator="do"),
]
CASES: TypeAdapter[tuple[Case, ...]] = TypeAdapter(tuple[Case, ...])
