"""What every message is made of: its base, and words of a checked form."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

CONSOLE_LINE_MAX: Final = 512
"""Characters of one console command or announcement."""
OUTPUT_MAX: Final = 64 * 1024
"""Bytes of a result's output; the tail is kept."""
TIMEOUT_MAX: Final = 86400
"""Seconds that a run may take."""
BAN_ITEMS_MAX: Final = 200
"""Bans of one BAN_SYNC."""
ARTIFACT_MAX: Final = 256 * 1024 * 1024
"""Bytes of a mod's file."""
RECORDS_MAX: Final = 500
"""Records of one batch, and `RECORDS_BYTES` of its body."""
RECORDS_BYTES: Final = 256 * 1024
MESSAGE_BYTES: Final = 16 * 1024
"""Of one log record; what is longer is cut by the agent, with a mark."""

Line = Annotated[str, StringConstraints(min_length=1, max_length=CONSOLE_LINE_MAX, pattern=r"^[^\r\n\x00]*$")]
"""One line of text. A line break would be a second console command."""
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\r\n\x00]*$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,31}$")]
"""A kind of player identity: steam, eos, ip, name, slot …"""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\r\n\x00]*$")]
"""What a player reads when kicked or banned."""
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 in hexadecimal."""
AgentKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{8,256}$")]
"""What a host authenticates with: goes into a header, so it is one word of ASCII."""
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A server's directory below the root that the agent's configuration allows."""
Status = Literal["unknown", "installing", "install_failed", "stopped", "starting", "running", "stopping", "crashed"]


class Wire(BaseModel):
    """Base of every message."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)

    def dump(self) -> dict[str, Any]:
        """As JSON values with the names of the protocol."""
        return self.model_dump(mode="json", by_alias=True)


class Problem(Wire):
    """An error, in the words that the person at the agent's log should read."""

    error: str
    remedy: str = ""
