"""How long a game is told to keep somebody out. Pure; times are aware."""

from datetime import datetime, timedelta

from games.bans.rows import SLACK, BanRow
from games.sections.bans import Amount, Duration


def amount(duration: Duration, until: datetime | None, now: datetime) -> Amount:
    """How long the game is told to ban from `now`: rounded up, in the largest unit that says just that."""
    left = None if until is None else _span(duration, until, now)
    if left is None or left > duration.longest:
        return duration.permanent
    whole = max(1, -(-left // duration.step)) * duration.step
    unit, size = max(
        ((unit, size) for unit, size in duration.units.items() if not whole % size), key=lambda one: one[1]
    )
    return Amount(n=whole // size, unit=unit)


def is_permanent(duration: Duration, until: datetime | None, now: datetime) -> bool:
    """Is it told to the game as one without an end?"""
    return until is None or _span(duration, until, now) > duration.longest


def _span(duration: Duration, until: datetime, now: datetime) -> timedelta:
    if duration.clock == "elapsed":
        return until - now
    return _on_the_wall(until) - _on_the_wall(now) + _shown_again(until)


def _on_the_wall(moment: datetime) -> datetime:
    """What this machine's clock shows then."""
    return moment.astimezone().replace(tzinfo=None, fold=0)


def _shown_again(moment: datetime) -> timedelta:
    """How much earlier the clock has shown that time before, which is when the game would let them in again."""
    local = moment.astimezone()
    before, then = _on_the_wall(moment).astimezone().utcoffset(), local.utcoffset()
    return max(timedelta(0), before - then) if before is not None and then is not None else timedelta(0)


def is_same(duration: Duration, row: BanRow, until: datetime | None, now: datetime) -> bool:
    """Is it the ban that we would make now? Then it need not be made again."""
    if is_permanent(duration, until, now):
        return row.latest is None
    if until is None or row.latest is None or row.earliest is None:
        return False
    return row.latest >= until - SLACK and row.earliest <= until + duration.step + SLACK
