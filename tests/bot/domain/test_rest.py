"""The words for a server that is left alone."""

from datetime import UTC, datetime, timedelta

from bot.domain.rest import Rest

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)


def test_a_hold_says_whose_it_is_and_how_old() -> None:
    rest = Rest("hold", "new map", "ann", NOW - timedelta(hours=2, minutes=10), None)
    assert rest.words(NOW) == "held by ann for 2 hours: new map"
    assert rest.head(NOW) == "held by ann for 2 hours"


def test_a_hold_of_somebody_who_was_forgotten() -> None:
    assert Rest("hold", "x", None, NOW, None).words(NOW) == "held by somebody for 0 seconds: x"


def test_maintenance_says_how_long_it_still_lasts() -> None:
    rest = Rest("maintenance", "new disk", "bob", NOW - timedelta(hours=1), NOW + timedelta(minutes=40))
    assert rest.words(NOW) == "in maintenance for 40 more minutes: new disk"


def test_a_long_reason_is_cut() -> None:
    assert len(Rest("hold", "x" * 900, "ann", NOW, None).words(NOW)) < 250
