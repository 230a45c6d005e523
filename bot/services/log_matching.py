"""Whether a line of a log is what a rule looks for. Expressions are RE2, whose time is linear in the line; what a line
costs can still be a thousand times what others cost, so every rule has only so much time.
"""

import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Final

from bot.domain.alert_conditions import LogKeyword
from games.patterns import Pattern

Matcher = Callable[[str], bool]
_COMPILED: Final = 1_000
PATIENCE: Final = 0.1
"""Seconds of computing that a rule may take for a batch of lines: some hundred times what it takes for most."""


class TooSlow(ValueError):
    """An expression took too long for what it was looked for in."""


@lru_cache(_COMPILED)
def matcher(condition: LogKeyword) -> Matcher:
    """Looks at the beginning of a line, as `Pattern` does.

    Raises:
        ValueError: the expression is none that RE2 takes.
    """
    source = condition.keyword if condition.regex else re.escape(condition.keyword)
    return Pattern(source if condition.case_sensitive else f"(?i){source}").matches


def matching(condition: LogKeyword, lines: Iterable[tuple[datetime, str]], seconds: float = PATIENCE) -> list[datetime]:
    """The times of those lines (time, message) that a rule looks for. Runs in any thread.

    Raises:
        TooSlow, ValueError: it took too long; the expression is none that RE2 takes.
    """
    matches, found = matcher(condition), list[datetime]()
    until = time.thread_time() + seconds
    for at, message in lines:
        if matches(message):
            found.append(at)
        if time.thread_time() > until:
            raise TooSlow("Looking for it takes too long.")
    return found


def check(condition: LogKeyword) -> None:
    """Refuses what cannot be searched for.

    Raises:
        ValueError: with a sentence.
    """
    try:
        found = matcher(condition)
    except ValueError as error:
        raise ValueError("That is not a regular expression as RE2 takes them.") from error
    if found(""):
        raise ValueError("That expression matches an empty line, so it would match every line.")
