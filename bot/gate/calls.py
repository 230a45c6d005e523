"""What goes in and what comes out: a handler gets a `Call` and gives a `Reply`; a `Spec` says what it declares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import discord

from bot.domain.actors import Actor
from bot.services import Services


class Show(Enum):
    """Who sees the answer, and how it arrives."""

    PRIVATE = "only the caller"
    CHANNEL = "everyone in the channel"
    HERE = "on the message that carries the component"
    FORM = "a modal, the one answer that cannot be deferred"


@dataclass(frozen=True)
class Spec:
    """What a handler declares. An empty permission means that everybody may."""

    permission: str
    show: Show
    fields: Sequence[str] | None = None
    """The entries of the form that arrives here; None: no form does."""


@dataclass(frozen=True)
class Call:
    """What a handler gets instead of an Interaction: who asks, what was entered, and the services."""

    actor: Actor
    services: Services
    values: Mapping[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Entries of a form by custom_id, `values` of a select; for suggestions the options that are filled in already."""

    def value(self, name: str = "values") -> str:
        """The single entry of a form's field or a select."""
        return next(iter(self.values.get(name, [])), "")


@dataclass
class Reply:
    """The answer: a card, or a form that is opened."""

    card: discord.ui.LayoutView | None = None
    form: discord.ui.Modal | None = None
    files: list[discord.File] = field(default_factory=list[discord.File])
