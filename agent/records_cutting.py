"""From the lines of a log to records: as the game's template cuts them, without secrets, of a bounded size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from agent import wire
from agent.runtime.trail import Line, Position
from games.patterns import RECORD_MAX
from games.sections.log import Log

Level = Literal["debug", "info", "warn", "error"]

_LEVELS: Final[dict[str, Level]] = {"d": "debug", "t": "debug", "v": "debug", "w": "warn", "e": "error", "f": "error"}
"""By the first letter: debug, trace, verbose; warning; error, exception, fatal. What is none of these informs."""
_CUT: Final = " … (cut)"
_AHEAD: Final = timedelta(seconds=5)
"""A game's clock is this machine's; a time that is later than this was not read rightly."""


@dataclass(frozen=True)
class Cut:
    """A record, and the position in the log behind it."""

    record: wire.LogRecord
    end: Position


@dataclass
class _Open:
    """A record that the next line may belong to."""

    ts: datetime
    level: Level
    end: Position
    lines: list[str] = field(default_factory=list[str])
    size: int = 0

    def add(self, text: str, end: Position) -> None:
        self.end = end
        if self.size <= wire.MESSAGE_BYTES:
            self.lines.append(text)
            self.size += len(text.encode()) + 1


class Cutter:
    """Puts lines together. The last record stays open until it is known that nothing more belongs to it.

    Records that are `ours` are left out: what our own asking for players left in the log.
    """

    def __init__(
        self, log: Log, redact: Callable[[str], str], ours: Callable[[str], bool], now: Callable[[], datetime]
    ) -> None:
        self._log, self._now = log, now
        self.redact, self.ours = redact, ours
        self._open: _Open | None = None

    def feed(self, lines: Sequence[Line]) -> list[Cut]:
        """The records that these lines end."""
        return [cut for line in lines for cut in self._line(line)]

    def rest(self) -> list[Cut]:
        """The open record: nothing followed for a while."""
        opened, self._open = self._open, None
        if opened is None:
            return []
        message = _fitting(self.redact("\n".join(opened.lines).replace("\0", "")).rstrip())
        return [Cut(wire.LogRecord(ts=opened.ts, level=opened.level, message=message), opened.end)]

    def _line(self, line: Line) -> list[Cut]:
        parts = self._log.record.groups(line.text)
        if parts is None and self._open is not None:
            self._open.add(line.text, line.end)
            return []
        if parts is None and not line.text.strip():
            return []
        done = self.rest()
        if self.ours(line.text):
            return done
        self._open = _Open(self._time((parts or {}).get("time")), _level((parts or {}).get("level")), line.end)
        self._open.add(_message(line.text, parts), line.end)
        return done

    def _time(self, said: str | None) -> datetime:
        """When the game says it wrote this, on this machine's clock; else now."""
        now = self._now()
        try:
            ts = datetime.fromisoformat(said or "").astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            return now
        return ts if ts <= now + _AHEAD else now


def _level(said: str | None) -> Level:
    return _LEVELS.get((said or "").strip()[:1].lower(), "info")


def _message(line: str, parts: dict[str, str] | None) -> str:
    """What the template calls the message. A pattern sees the beginning of a long line only: the rest belongs to it."""
    message = (parts or {}).get("msg", line)
    return message + line[RECORD_MAX:] if parts and "msg" in parts else message


def _fitting(message: str) -> str:
    data = message.encode(errors="replace")
    if len(data) <= wire.MESSAGE_BYTES:
        return message
    return data[: wire.MESSAGE_BYTES - len(_CUT.encode())].decode(errors="ignore") + _CUT
