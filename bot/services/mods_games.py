"""What a mod is in each game, as our own copies of the templates say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from games.archives import Unit


@dataclass(frozen=True)
class GameMods:
    """Mods of one game."""

    game: str
    name: str
    unit: Unit
    restarts: bool
    """The game takes a mod in only when it starts."""


@cache
def moddable() -> Mapping[str, GameMods]:
    """The games whose mods we know, by id."""
    # the catalog takes longer to import than the rest of the bot's start, and only mods need it
    from games.catalog import load_catalog

    return {
        template.id: GameMods(
            template.id,
            template.name,
            template.mods.unit,
            template.mods.apply == "restart",
        )
        for template in load_catalog().values()
        if template.mods is not None
    }
