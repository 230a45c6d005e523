"""What a job about saved games carries, and what it answers."""

from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from agent.wire.base import Digest, Wire
from agent.wire.params import Params

DROPS_MAX: Final = 50


class SaveBackup(Params):
    """Packs what a game has saved, keeps that on the host, and then drops backups that the bot has given up."""

    type: Literal["SAVE_BACKUP"] = "SAVE_BACKUP"
    backup_id: UUID | None = None
    """What it is called; a second attempt takes the place of the first. None: of a wish that is no job yet."""
    drop: Annotated[list[UUID], Field(max_length=DROPS_MAX)] = []


class SaveBackupResult(Wire):
    """`Result.result` of a SAVE_BACKUP that succeeded."""

    size_bytes: Annotated[int, Field(ge=0)]
    sha256: Digest
    files: Annotated[int, Field(ge=0)]
    changed: Annotated[int, Field(ge=0)] = 0
    """Files that were written to, or went away, while they were packed."""
    dropped: Annotated[list[UUID], Field(max_length=DROPS_MAX)] = []
