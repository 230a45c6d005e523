"""Configuration files that the agent keeps in step with a server's variables."""

from typing import Literal, Self

from pydantic import Field, model_validator

from games.sections.base import Section


class ConfigFile(Section):
    """A file below the server's directory, and the settings in it that are ours. Others are left as they are."""

    path: str
    format: Literal["xml-properties", "key-value"]
    set: dict[str, str]
    absent: dict[str, str] = Field(default={})
    """What the game does where a file that somebody else wrote says nothing: the values of a server taken over."""
    keep: tuple[str, ...] = ()
    """Settings whose value in an existing file stays, and which the file of a server taken over must have."""

    @model_validator(mode="after")
    def _about_what_is_set(self) -> Self:
        if strange := {*self.absent, *self.keep} - set(self.set):
            raise ValueError(f"`absent` and `keep` are about settings in `set`: {', '.join(sorted(strange))}")
        return self
