"""Where a game keeps what can be added to it, how it is told of something new, and how it says that it took it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from games.archives import Unit
from games.sections.base import Section
from games.sections.people import Listing


class ModDir(Section):
    """A directory of mods."""

    path: str
    unit: Literal["folder", "file"]
    suffix: Annotated[str, Field(pattern=r"^\.[a-z0-9]{1,12}$")] | None = None
    """Of a file, e.g. `.map`; other files of the directory are not mods."""
    manifest: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = ""
    """The file that makes a folder a mod; empty: any folder is one."""
    manifest_format: Literal["", "7dtd_v2"] = ""

    @model_validator(mode="after")
    def _about_its_unit(self) -> Self:
        if (self.unit == "file") != (self.suffix is not None):
            raise ValueError("`suffix` belongs to the unit file, and only there")
        if self.manifest_format and not self.manifest:
            raise ValueError("`manifest_format` is that of a `manifest`")
        return self

    @property
    def judged_as(self) -> Unit:
        """What an archive has to hold."""
        return Unit(self.unit, self.suffix or "", self.manifest, self.manifest_format)


class Change(Section):
    """The running game is told to take it."""

    action: str
    """It is sent with `{q:name}`: the mod's file without its suffix, or its folder."""
    variable: str | None = None
    """Set to the same name, so that the game begins with it after a restart as well."""


class LogSign(Section):
    """A record of the log. The group `mod`, or one that begins with `mod_`, is the mod's name or its folder."""

    event: Literal["mod_loaded", "mod_failed"]


class Mods(Section):
    """Mods of a game. A start that ends before the game is ready has failed whatever `failed` says."""

    dirs: Annotated[tuple[ModDir, ...], Field(min_length=1)]
    """The first is where we put them."""
    apply: Literal["restart"] | Change
    loaded: Annotated[tuple[LogSign | Listing, ...], Field(min_length=1)]
    """All of these have to show it. A list has the group `mod`."""
    failed: tuple[LogSign, ...] = ()
    """Any of these says that the game did not take it."""
    timeout: Annotated[float, Field(gt=0, le=600)] = 10
    """Seconds in which a game that is up has to show it."""
    needs_client_copy: Literal["yes", "no", "maybe"]
    """Do players need the mod, too?"""

    @model_validator(mode="after")
    def _listed_by_name(self) -> Self:
        if any("mod" not in one.each.names for one in self.listings):
            raise ValueError("`each` of a list of mods needs the group `mod`")
        return self

    @property
    def listings(self) -> tuple[Listing, ...]:
        """The commands that answer with the mods that are loaded."""
        return tuple(one for one in self.loaded if isinstance(one, Listing))

    @property
    def events(self) -> frozenset[str]:
        """The records of the log that matter."""
        return frozenset(one.event for one in (*self.loaded, *self.failed) if isinstance(one, LogSign))

    @property
    def unit(self) -> Unit:
        """What an archive has to hold to be deployed."""
        return self.dirs[0].judged_as
