"""What a job carries that brings a server to what is wanted, and what it answers: bans and mods."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from agent.wire.base import ARTIFACT_MAX, BAN_ITEMS_MAX, Digest, Identifier, Kind, Reason, Wire
from agent.wire.params import Params


class Identity(Wire):
    """One way in which games tell a person apart, in our form and not in a game's."""

    kind: Kind
    value: Identifier


class BanItem(Wire):
    """What one server shall do about one person."""

    entry_id: UUID
    revision: int
    """Of the wish; its receipt carries it back, so that a late one does no harm."""
    want: Literal["banned", "unbanned"]
    identities: Annotated[list[Identity], Field(min_length=1, max_length=20)]
    name: Annotated[str, StringConstraints(max_length=128)]
    until: AwareDatetime | None = None
    """None: for good."""
    reason: Reason


class BanSync(Params):
    """Brings the game's own list of bans to what is wanted, item by item; doing it twice changes nothing."""

    type: Literal["BAN_SYNC"] = "BAN_SYNC"
    items: Annotated[list[BanItem], Field(min_length=1, max_length=BAN_ITEMS_MAX)]


class BanReceipt(Wire):
    """What became of one item."""

    entry_id: UUID
    revision: int
    outcome: Literal["applied", "refused", "unsupported", "waiting"]
    """`applied`: seen in the game's own list; `waiting`: the game is not up."""
    detail: Annotated[str, StringConstraints(max_length=300)] = ""
    """The game's own words where it refused."""


class BanSyncResult(Wire):
    """`Result.result` of a BAN_SYNC."""

    receipts: Annotated[list[BanReceipt], Field(max_length=BAN_ITEMS_MAX)]


class ModInstall(Params):
    """Puts one version of a mod in the place of the other, and back when the game does not take it."""

    type: Literal["MOD_INSTALL"] = "MOD_INSTALL"
    deployment_id: UUID
    artifact_id: UUID
    sha256: Digest
    size_bytes: Annotated[int, Field(ge=1, le=ARTIFACT_MAX)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\r\n\x00/\\]*$")]
    version: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\r\n\x00]*$")]
    force: bool = False
    """Replace what somebody edited on the host, too."""


class ModInstallResult(Wire):
    """`Result.result` of a MOD_INSTALL."""

    state: Literal["installed", "rolled_back", "conflict", "refused"]
    detail: Annotated[str, StringConstraints(max_length=1000)] = ""
    verified: Annotated[list[Annotated[str, StringConstraints(max_length=500)]], Field(max_length=20)] = []
    """The game's own lines that prove it."""
    conflicts: Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=50)] = []
    """Files that somebody edited on the host, and that were kept."""
    restarted: bool = False
