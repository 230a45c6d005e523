"""The mods that a server has."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from agent.wire.base import Digest, Wire


class ModFound(Wire):
    """A mod as it lies on the host."""

    folder: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    state: Literal["active", "quarantined"]
    name: Annotated[str, StringConstraints(max_length=128)] | None = None
    version: Annotated[str, StringConstraints(max_length=100)] | None = None
    author: Annotated[str, StringConstraints(max_length=200)] | None = None
    website: Annotated[str, StringConstraints(max_length=300)] | None = None
    config_files: Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=200)] = []
    sha256: Digest | None = None
    """Of the artifact that it was installed from; None: somebody else put it there."""


class ModList(Wire):
    """What a server has, sent when it changed."""

    revision: int
    mods: Annotated[list[ModFound], Field(max_length=1000)]
