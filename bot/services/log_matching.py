"""Whether a line of a log is what a rule looks for. Expressions are RE2, whose time is linear in the line."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from bot.domain.alert_conditions import LogKeyword
from games.patterns import Pattern

Matcher = Callable[[str], bool]
_COMPILED: Final = 1_000


@lru_cache(_COMPILED)
def matcher(condition: LogKeyword) -> Matcher:
    """Looks at the beginning of a line, as `Pattern` does.

    Raises:
        ValueError: the expression is none that RE2 takes.
    """
    source = condition.keyword if condition.regex else re.escape(condition.keyword)
    return Pattern(source if condition.case_sensitive else f"(?i){source}").matches


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
