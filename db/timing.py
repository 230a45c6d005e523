"""Names and times every statement, so that a slow one can be found by its name."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext

log = logging.getLogger(__name__)

SLOW_MS: Final = 200.0
_NAME: Final = re.compile(r"\s*/\*\s*([\w.:-]+)\s*\*/")
_NONE: Final[Mapping[str, Any]] = {}
_STARTED: Final = "statement_started"


def name_of(statement: str, options: Mapping[str, Any]) -> str:
    """The statement's name: its execution option `name`, else the comment it begins with, else its first words."""
    if given := options.get("name"):
        return str(given)
    found = _NAME.match(statement)
    return found.group(1) if found else " ".join(statement.split()[:4])


def watch(engine: Engine) -> None:
    """Logs what takes longer than `SLOW_MS`, also when it failed. The log line carries the correlation id."""
    event.listen(engine, "before_cursor_execute", _started)
    event.listen(engine, "after_cursor_execute", _ended)
    event.listen(engine, "handle_error", _failed)


def _started(connection: Connection, *_: Any) -> None:
    connection.info[_STARTED] = time.perf_counter()


def _ended(
    connection: Connection, _cursor: Any, statement: str, _parameters: Any, context: ExecutionContext, _many: bool
) -> None:
    _timed(connection, name_of(statement, context.execution_options), "took")


def _failed(failure: ExceptionContext) -> None:
    if failure.connection is None or failure.statement is None:
        return
    context = failure.execution_context
    _timed(
        failure.connection, name_of(failure.statement, context.execution_options if context else _NONE), "failed after"
    )


def _timed(connection: Connection, name: str, verb: str) -> None:
    started = connection.info.pop(_STARTED, None)
    if started is not None:
        report(name, verb, started)


@dataclass
class SlowStatement:
    """A statement that took longer than `SLOW_MS` in this process."""

    name: str
    times: int = 0
    worst_ms: float = 0.0


_slow: Final[dict[str, SlowStatement]] = {}
"""By name. Statements are constants of this program, so there are some hundred at most."""


def slowest(most: int) -> list[SlowStatement]:
    """The slowest statements of this process, the worst first."""
    return sorted(_slow.values(), key=lambda one: one.worst_ms, reverse=True)[:most]


def report(name: str, verb: str, started: float) -> None:
    """Logs a statement that began at `started` (of `time.perf_counter`) and took too long."""
    if (ms := (time.perf_counter() - started) * 1000) > SLOW_MS:
        log.warning("slow statement %s %s %.0f ms", name, verb, ms)
        slow = _slow.setdefault(name, SlowStatement(name))
        slow.times, slow.worst_ms = slow.times + 1, max(slow.worst_ms, ms)
