"""A ban is never shorter than people asked for, and hardly longer."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from games.bans import BanRow, amount, is_permanent, is_same
from games.catalog import GameTemplate
from games.sections.bans import Duration

NOW = datetime(2026, 11, 21, 7, 0, 30, tzinfo=UTC)
SIZES = {"minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800}


def duration(catalog: dict[str, GameTemplate], game: str) -> Duration:
    found = catalog[game].actions["ban"].duration
    assert found is not None
    return found


@contextmanager
def zone(name: str) -> Iterator[None]:
    """The machine stands there."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        os.environ.update({} if before is None else {"TZ": before})
        time.tzset()


@pytest.mark.parametrize("game", ["teeworlds", "7dtd"])
@given(seconds=st.integers(1, 31 * 86400))
def test_never_shorter_and_less_than_a_minute_longer(catalog: dict[str, GameTemplate], game: str, seconds: int) -> None:
    said = amount(duration(catalog, game), NOW + timedelta(seconds=seconds), NOW)
    assert 0 <= said.n * SIZES[said.unit] - seconds < 60


@pytest.mark.parametrize(
    ("length", "teeworlds", "sevendays"),
    [
        (timedelta(seconds=1), (1, "minutes"), (1, "minutes")),
        (timedelta(minutes=61), (61, "minutes"), (61, "minutes")),
        (timedelta(hours=1, seconds=-2), (60, "minutes"), (1, "hours")),
        (timedelta(days=2), (2880, "minutes"), (2, "days")),
        (timedelta(days=14), (20160, "minutes"), (2, "weeks")),
        (timedelta(days=31), (44640, "minutes"), (31, "days")),
        (timedelta(days=31, seconds=1), (-1, ""), (44641, "minutes")),
        (timedelta(days=3660), (-1, ""), (3660, "days")),
        (None, (-1, ""), (500, "years")),
    ],
)
def test_in_the_games_own_units(
    catalog: dict[str, GameTemplate],
    length: timedelta | None,
    teeworlds: tuple[int, str],
    sevendays: tuple[int, str],
) -> None:
    until = None if length is None else NOW + length
    for game, expected in (("teeworlds", teeworlds), ("7dtd", sevendays)):
        said = amount(duration(catalog, game), until, NOW)
        assert (said.n, said.unit) == expected


def test_what_a_game_cannot_hold_is_for_good_there(catalog: dict[str, GameTemplate]) -> None:
    assert is_permanent(duration(catalog, "teeworlds"), NOW + timedelta(days=32), NOW)
    assert not is_permanent(duration(catalog, "7dtd"), NOW + timedelta(days=32), NOW)


@pytest.mark.parametrize(
    ("begin", "length"),
    [
        ("2026-03-28T12:00+00:00", timedelta(days=1)),  # the clock is put forward in the night: 23 hours on the wall
        ("2026-10-24T12:00+00:00", timedelta(days=1)),  # put back: 25 hours
        ("2026-10-24T12:00+00:00", timedelta(hours=12, minutes=30)),  # 02:30, which comes twice: the first time
        ("2026-10-24T12:00+00:00", timedelta(hours=13, minutes=30)),  # the second time
        ("2026-10-25T00:10+00:00", timedelta(minutes=70)),  # from the first hour to the second
        ("2026-10-25T01:10+00:00", timedelta(minutes=30)),  # within the second
    ],
)
def test_a_clock_that_is_changed_lets_nobody_in_early(
    catalog: dict[str, GameTemplate], begin: str, length: timedelta
) -> None:
    with zone("Europe/Berlin"):
        now = datetime.fromisoformat(begin)
        until = now + length
        said = amount(duration(catalog, "7dtd"), until, now)
        wall = now.astimezone().replace(tzinfo=None, fold=0) + said.n * timedelta(seconds=SIZES[said.unit])
        over = _first_shown(wall, now)
        assert until <= over <= until + timedelta(hours=2)


def _first_shown(wall: datetime, after: datetime) -> datetime:
    """When the server's clock reaches that time: the game asks no more than that."""
    moment = after
    while moment.astimezone().replace(tzinfo=None, fold=0) < wall:
        moment += timedelta(minutes=1)
    return moment


@pytest.mark.parametrize(
    ("earliest", "latest", "until", "same"),
    [
        (540, 600, 590, True),  # a minute as the list shows it
        (600, 660, 590, True),  # rounded up when it was made
        (480, 540, 590, False),
        (700, 760, 590, False),
        (None, None, 590, False),
        (540, 600, None, False),
        (None, None, None, True),
        (None, None, 40 * 86400, True),  # longer than the game can
    ],
)
def test_the_same_ban_is_known_again(
    catalog: dict[str, GameTemplate], earliest: int | None, latest: int | None, until: int | None, *, same: bool
) -> None:
    def at(seconds: int | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    row = BanRow(("ip", "1.2.3.4"), at(earliest), at(latest))
    assert is_same(duration(catalog, "teeworlds"), row, at(until), NOW) is same
