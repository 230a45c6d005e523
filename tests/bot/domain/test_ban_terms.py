"""How long a ban lasts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ban_terms import LONGEST, Term, parse, restored

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
"""A Saturday."""


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("7d", NOW + timedelta(days=7)),
        ("2w", NOW + timedelta(weeks=2)),
        ("for 1d 12h", NOW + timedelta(hours=36)),
        ("1 month", NOW + timedelta(days=30)),
        ("1mo 1d", NOW + timedelta(days=31)),
        ("2 years", NOW + timedelta(days=730)),
        ("5 minutes", NOW + timedelta(minutes=5)),
        ("Until Friday 18:00", datetime(2026, 11, 27, 17, 0, tzinfo=UTC)),
        ("until tomorrow 6:30", datetime(2026, 11, 22, 5, 30, tzinfo=UTC)),
        ("until 2030-01-31", datetime(2030, 1, 30, 23, 0, tzinfo=UTC)),
        ("until 2030-07-31", datetime(2030, 7, 30, 22, 0, tzinfo=UTC)),
        ("", None),
        ("permanent", None),
        ("For Good", None),
    ],
)
def test_what_is_understood(text: str, end: datetime | None) -> None:
    assert parse(text, NOW, "Europe/Berlin").until(NOW) == end


@pytest.mark.parametrize(
    "text",
    ["soon", "7", "-7d", "0d", "30s", "until", "until never", "until yesterday", "until 2020-01-01", "until 2050-01-01",
     "99999d", "7 fortnights", "friday", "1.5h", "7d; 2h", "until 25:00", "until 2030-02-31"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(text, NOW, "Europe/Berlin")


def test_a_zone_that_is_gone_reads_as_utc() -> None:
    assert parse("until friday 18:00", NOW, "Mars/Olympus").until(NOW) == datetime(2026, 11, 27, 18, 0, tzinfo=UTC)


@given(st.text(max_size=60))
def test_anything_can_be_typed(text: str) -> None:
    try:
        end = parse(text, NOW, "UTC").until(NOW)
    except ValueError:
        return
    assert end is None or NOW < end <= NOW + LONGEST


@given(st.sampled_from([Term(), Term(span=timedelta(seconds=61)), Term(moment=NOW)]))
def test_a_term_can_be_put_away(term: Term) -> None:
    assert restored(term.stored()) == term
    assert term.for_good == (term.until(NOW) is None)
