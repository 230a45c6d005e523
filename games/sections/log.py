"""Where a game's log is, and what its records mean."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from games.patterns import Regex
from games.sections.base import Section

Event = Literal["join", "leave", "chat", "refused", "mod_loaded", "mod_failed", "crash"]


@dataclass(frozen=True)
class LogEvent:
    """Something that the log tells. The values are untrusted: players choose their names."""

    kind: Event
    values: dict[str, str]


class Stdout(Section):
    """What the process prints."""

    stdout: Literal[True]


class Files(Section):
    """Files of the server's directory; the newest counts."""

    glob: str


class Log(Section):
    """The log of a game."""

    source: Stdout | Files
    record: Regex
    """A record's first line; the group `msg` is what `events` look at. Other lines belong to the record above."""
    events: Annotated[dict[Event, Regex], Field(min_length=1)]

    def event(self, record: str) -> LogEvent | None:
        """What the record tells, if it is one of the events."""
        parts = self.record.groups(record)
        if parts is None:
            return None
        message = parts.get("msg", record)
        for kind, pattern in self.events.items():
            if (values := pattern.groups(message)) is not None:
                return LogEvent(kind, values)
        return None
