"""What an uploaded file is: whose game's mod, which one, which version. Reads the whole file: for a thread."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.domain.words import safe
from bot.errors import Invalid
from bot.services.mods_games import GameMods
from games.archives import ArchiveError, Manifest, folder_name, inspect

VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,31}")


@dataclass(frozen=True)
class Claims:
    """What somebody says about a file; empty where they said nothing."""

    file_name: str
    game: str = ""
    name: str = ""
    version: str = ""


@dataclass(frozen=True)
class Judged:
    """A file that is taken."""

    mods: GameMods
    manifest: Manifest
    name: str
    version: str


def judge(path: Path, claims: Claims, games: Mapping[str, GameMods]) -> Judged:
    """The mod that a file is.

    Raises:
        Invalid: it is no mod of the game, or of any game, or not what was said about it.
    """
    try:
        game, manifest = _recognised(path, claims, games)
        tells = bool(game.unit.manifest_format)
        named = manifest.name or Path(claims.file_name).stem
        name = folder_name(named if tells else claims.name or named)
    except ArchiveError as error:
        # file names stand between backticks, where nothing has a meaning in Discord; but reasons are copied elsewhere
        raise Invalid(error.what.replace("@", "@\u200b"), error.remedy) from error
    for option, given, own in (("name", claims.name, manifest.name), ("version", claims.version, manifest.version)):
        if tells and given and given != own:
            raise Invalid(f"The mod says itself that its {option} is {safe(own)}.", f"Leave `{option}` out.")
    version = manifest.version or claims.version
    if not version:
        raise Invalid("The file does not say its version.", "Give a `version`, such as `1.0`.")
    return Judged(game, manifest, name, version)


def _recognised(path: Path, claims: Claims, games: Mapping[str, GameMods]) -> tuple[GameMods, Manifest]:
    """The game whose mod the file is. Without `game` the one that takes it."""
    tried = [games[claims.game]] if claims.game else list(games.values())
    refused: list[ArchiveError] = []
    for game in tried:
        try:
            return game, inspect(path, game.unit, file_name=claims.file_name)
        except ArchiveError as error:
            refused.append(error)
    if len({error.what for error in refused}) == 1:
        raise refused[0]
    why = " ".join(f"{game.name}: {error.what}" for game, error in zip(tried, refused, strict=True))
    raise ArchiveError(f"This is a mod of no game here. {why}", "Correct it, or name its `game`.")
