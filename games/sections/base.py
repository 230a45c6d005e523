"""What all sections share."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Immutable; an unknown key is an error, because a misspelt option would be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
