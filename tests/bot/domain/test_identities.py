"""Identities in one form, whatever the game writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.identities import normalise, person, plain


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("steam", "Steam_76561198000000001", "76561198000000001"),
        ("steam", " 76561198000000001 ", "76561198000000001"),
        ("eos", "EOS_00AAFF", "00aaff"),
        ("minecraft", "069A79F4-44E9-4726-A5BE-FCA90E38AAF5", "069a79f4-44e9-4726-a5be-fca90e38aaf5"),
        ("ip", "192.0.2.1", "192.0.2.1"),
        ("ip", "[2001:DB8:0::1]", "2001:db8::1"),
        ("ip", "fe80::1%eth0", "fe80::1"),
        ("ip", "nobody", ""),
        ("name", " Eve\x00\u202e ", "Eve"),
        ("steam", "Steam_", ""),
        ("odd", "KeepsCase", "KeepsCase"),
    ],
)
def test_one_form(kind: str, raw: str, value: str) -> None:
    assert normalise(kind, raw) == value


def test_who_somebody_is() -> None:
    eve = person("Eve", {"steam": "Steam_7", "name": "Eve", "slot": "3", "ip": "192.0.2.1", "eos": "EOS_A"})
    assert eve is not None
    assert (eve.identities, eve.address) == ((("eos", "a"), ("steam", "7")), "192.0.2.1")


@pytest.mark.parametrize(
    ("name", "identities", "found"),
    [
        ("Eve", {}, (("name", "Eve"),)),
        ("Eve", {"slot": "1", "ip": "192.0.2.1"}, (("name", "Eve"),)),
        ("Eve", {"name": "(1)Eve"}, (("name", "(1)Eve"),)),
    ],
)
def test_a_name_decides_where_there_is_nothing_better(
    name: str, identities: dict[str, str], found: tuple[tuple[str, str], ...]
) -> None:
    somebody = person(name, identities)
    assert somebody is not None
    assert somebody.identities == found


def test_nobody() -> None:
    assert person("\u200e ", {"slot": "1", "ip": "192.0.2.1"}) is None


@given(st.text())
def test_names_are_what_the_tables_take(text: str) -> None:
    name = plain(text)
    assert name == name.strip()
    assert len(name) <= 128
    assert "\x00" not in name
    assert plain(name) == name
