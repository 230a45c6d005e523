"""Records of a game's log, streamed in numbered batches."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from agent.wire.base import RECORDS_MAX, Wire


class LogRecord(Wire):
    """One record of a game's log, as the game wrote it: untrusted."""

    ts: AwareDatetime
    level: Literal["debug", "info", "warn", "error"]
    message: str


class Records(Wire):
    """A batch of a stream. `seq` counts batches from 1 within a `generation`; a resent batch changes nothing."""

    server_id: UUID
    stream: Literal["log", "event"]
    generation: Annotated[int, Field(ge=0)]
    """When the stream began, in ms since 1970."""
    seq: Annotated[int, Field(ge=1)]
    records: Annotated[list[LogRecord], Field(min_length=1, max_length=RECORDS_MAX)]


class RecordsAnswer(Wire):
    accepted: int
    """Records written now; 0: they were known already."""


class RecordsExpected(Wire):
    """409: a batch is missing."""

    expected: Annotated[int, Field(ge=1)]
