"""Ids as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.ban_ids import typed

STEAM = "76561198000000001"
EOS = "0002a10186d9414496bf20d22d3860ba"


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (f"steam:{STEAM}", ("steam", STEAM)),
        (f"Steam_{STEAM}", ("steam", STEAM)),
        (f" {STEAM} ", ("steam", STEAM)),
        (f"steam: Steam_{STEAM}", ("steam", STEAM)),
        (f"EOS_{EOS.upper()}", ("eos", EOS)),
        (EOS, ("eos", EOS)),
        ("xuid:2535400000000001", ("xuid", "2535400000000001")),
        ("ip:192.0.2.7", ("ip", "192.0.2.7")),
        ("192.0.2.7", ("ip", "192.0.2.7")),
        ("2001:DB8::1", ("ip", "2001:db8::1")),
        ("[2001:db8::1]", ("ip", "2001:db8::1")),
        ("::ffff:192.0.2.7", ("ip", "192.0.2.7")),
        ("minecraft:069A79F4-44E9-4726-A5BE-FCA90E38AAF5", ("minecraft", "069a79f4-44e9-4726-a5be-fca90e38aaf5")),
    ],
)
def test_what_is_an_id(text: str, identity: tuple[str, str]) -> None:
    assert typed(text) == identity


@pytest.mark.parametrize("text", ["bob", "", "192.0.2", "1.2.3.4.5", "76561198", "eve: the second", "a.b", "10:30"])
def test_what_reads_like_a_name(text: str) -> None:
    assert typed(text) is None


@pytest.mark.parametrize("text", ["steam:bob", "steam:123", "eos:xyz", "ip:300.1.1.1", "minecraft:steve", "xuid:1"])
def test_an_id_that_cannot_be_one_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Ids look like"):
        typed(text)


@given(st.text(max_size=300))
def test_anything_can_be_typed(text: str) -> None:
    try:
        found = typed(text)
    except ValueError:
        return
    assert found is None or (found[1] == found[1].strip() and 1 <= len(found[1]) <= 128)
