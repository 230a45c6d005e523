"""What of a game is worth keeping: its saved worlds."""

from typing import Annotated

from pydantic import Field

from games.sections.base import Section


class Backup(Section):
    """What goes into a backup of a game."""

    before: tuple[str, ...] = ()
    """Actions that a running game is sent first, so that what is packed is what is played."""
    paths: Annotated[tuple[str, ...], Field(min_length=1)]
    """Files and directories; those that are not there are left out."""
    exclude: tuple[Annotated[str, Field(pattern=r"^[^/\x00]+$")], ...] = ()
    """Names that are left out wherever they are, with `*`."""
