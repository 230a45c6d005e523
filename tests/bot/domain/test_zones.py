"""Time zones as people name them."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import zones


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        (" new york ", "America/New_York"),
        ("utc", "UTC"),
        ("UTC", "UTC"),
    ],
)
def test_a_zone_is_found_by_its_name_or_place(text: str, name: str) -> None:
    assert zones.named(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mars/Olympus",
        "Europe",
        "../../etc/passwd",
        "/etc/localtime",
        "CET-1",
        "louisville",
        "@everyone",
        "x" * 9999,
    ],
)
def test_no_zone_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no time zone; it takes the name of one") as refused:
        zones.named(text)
    assert len(str(refused.value)) < 200 and "@e" not in str(refused.value)


def test_only_full_names_are_zones() -> None:
    assert zones.zone("UTC") is UTC
    assert datetime(2026, 7, 1, tzinfo=zones.zone("Europe/Berlin")).utcoffset() == timedelta(hours=2)
    for name in ("Berlin", "../../etc/passwd", "Europe", ""):
        with pytest.raises(ValueError, match="is not known here"):
            zones.zone(name)


def test_suggestions() -> None:
    assert zones.suggested("")[0] == "UTC"
    assert "Europe/Berlin" in zones.suggested("berl")
    assert "America/New_York" in zones.suggested("new y")
    assert zones.suggested("olympus") == [] and len(zones.suggested("a")) == 25
