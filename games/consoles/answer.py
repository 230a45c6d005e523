"""What comes back from a console."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Answer:
    """How a command ended.

    `answered`: the game did it and said `lines`. `refused`: it was not done; `reason` is a sentence for the person who
    asked. `unknown`: it was sent and nobody knows; repeat it only if doing it twice is harmless.
    """

    outcome: Literal["answered", "refused", "unknown"]
    lines: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class PlayerRow:
    """Somebody on the server as the game lists them. Untrusted: players choose their names."""

    name: str
    slot: str | None = None
    identities: dict[str, str] = field(default_factory=dict[str, str])
