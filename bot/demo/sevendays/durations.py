"""How long a ban lasts: a number and a unit, counted in the calendar of the server's local time."""

import calendar
from datetime import datetime, timedelta

_FIXED = {
    timedelta(minutes=1): ("min", "minute", "minutes"),
    timedelta(hours=1): ("h", "hour", "hours"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(weeks=1): ("w", "week", "weeks"),
}
_STEPS = {unit: step for step, units in _FIXED.items() for unit in units}
_MONTHS = {"month": 1, "months": 1, "y": 12, "yr": 12, "year": 12, "years": 12}
UNITS = frozenset({*_STEPS, *_MONTHS})


def later(start: datetime, count: int, unit: str) -> datetime:
    """Raises OverflowError past the year 9999, with the sentence of the game's runtime."""
    try:
        return start + count * _STEPS[unit] if unit in _STEPS else _months_later(start, count * _MONTHS[unit])
    except (OverflowError, ValueError) as error:
        raise OverflowError("The added or subtracted value results in an un-representable DateTime.") from error


def _months_later(start: datetime, months: int) -> datetime:
    """The same day of the month, or the last one where that month is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError(year)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))
