"""Configuration files that the agent keeps in step with a server's variables."""

from typing import Literal

from games.sections.base import Section


class ConfigFile(Section):
    """A file below the server's directory, and the settings in it that are ours. Others are left as they are."""

    path: str
    format: Literal["xml-properties", "key-value"]
    set: dict[str, str]
