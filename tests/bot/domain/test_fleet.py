"""Decisions about new servers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.fleet import Variable, asked, clashing_port, problem, proposed, slug


def port(name: str = "port", default: str = "8303") -> Variable:
    return Variable(name, "port", default, name.capitalize())


def text(name: str, default: str = "") -> Variable:
    return Variable(name, "string", default, "")


@pytest.mark.parametrize(
    ("name", "taken", "found"),
    [
        ("EU #1", [], "eu-1"),
        ("EU #1", ["eu-1"], "eu-1-2"),
        ("EU #1", ["eu-1", "eu-1-2", "eu-1-3"], "eu-1-4"),
        ("  --EU--  ", [], "eu"),
        ("日本", [], "server"),
        ("日本", ["server"], "server-2"),
        ("../../etc/passwd", [], "etc-passwd"),
        ("x" * 100, [], "x" * 48),
    ],
)
def test_the_name_of_a_directory(name: str, taken: list[str], found: str) -> None:
    assert slug(name, taken) == found


@given(st.text(max_size=120), st.sets(st.sampled_from(["server", "server-2", "a", "a-2", "eu-1"])))
def test_a_directory_is_always_one_of_its_own(name: str, taken: set[str]) -> None:
    found = slug(name, taken)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", found) and len(found) <= 52
    assert found not in taken


def test_ports_move_up_to_the_next_free_one() -> None:
    variables = [port(), port("econ_port"), text("name", "x"), Variable("slots", "int", "16", "")]
    assert proposed(variables, ["8303", "8304"]) == {"port": "8305", "econ_port": "8306", "name": "x", "slots": "16"}
    assert proposed(variables, []) == {"port": "8303", "econ_port": "8304", "name": "x", "slots": "16"}


def test_a_port_without_room_above_stays() -> None:
    assert proposed([port(default="65535")], ["65535"]) == {"port": "65535"}
    assert proposed([port(default="")], ["8303"]) == {"port": ""}


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        (port(), "8303", None),
        (port(), "1024", None),
        (port(), "65535", None),
        (port(), "1023", "Port is a port from 1024 to 65535, not `1023`."),
        (port(), "65536", "Port is a port from 1024 to 65535, not `65536`."),
        (port(), "8303; rm", "Port is a port from 1024 to 65535, not `8303; rm`."),
        (port(), "08303", "Port is a port from 1024 to 65535, not `08303`."),
        (port(), "８３０３", "Port is a port from 1024 to 65535, not `８３０３`."),
        (port(), "²", "Port is a port from 1024 to 65535, not `²`."),
        (port(), "", "Port is a port from 1024 to 65535, not ``."),
        (Variable("slots", "int", "16", ""), "-3", None),
        (Variable("slots", "int", "16", ""), "many", "slots is a whole number, not `many`."),
        (Variable("slots", "int", "16", ""), "1234567890", "slots is a whole number, not `1234567890`."),
        (Variable("pvp", "bool", "no", "PvP"), "Yes", None),
        (Variable("pvp", "bool", "no", "PvP"), "maybe", "PvP is yes or no, not `maybe`."),
        (Variable("mode", "choice", "dm", "Mode", ("dm", "ctf")), "ctf", None),
        (Variable("mode", "choice", "dm", "Mode", ("dm", "ctf")), "x", "Mode is one of dm, ctf."),
        (text("motd"), "anything, 'quoted' \"too\"", None),
        (text("motd"), "two\nlines", "motd has a line break."),
        (text("motd"), "nul\x00", "motd has a line break."),
        (text("motd"), "x" * 257, "motd is longer than 256 characters."),
    ],
)
def test_values_fit_their_types(variable: Variable, value: str, words: str | None) -> None:
    assert problem(variable, value) == words


@given(st.sampled_from(["port", "int", "bool", "choice", "string"]), st.text(max_size=300))
def test_a_value_fits_or_a_short_sentence_says_why(kind: str, value: str) -> None:
    found = problem(Variable("v", kind, "", "", ("a", "b")), value)
    assert found is None or (found.endswith(".") and len(found) < 120)
    if found is None and kind in ("port", "int"):
        assert str(int(value)) is not None
    if found is None:
        assert not set(value) & set("\r\n\x00")


def test_a_form_asks_for_ports_first_and_never_for_the_name() -> None:
    variables = [text("name"), text("map"), port(), text("motd"), text("mode"), port("econ_port"), text("password")]
    assert [variable.name for variable in asked(variables, 4)] == ["map", "port", "motd", "econ_port"]
    assert [variable.name for variable in asked([text("name"), text("map")], 4)] == ["map"]
    assert asked([], 4) == ()


@given(st.lists(st.sampled_from(["port", "string", "int"]), max_size=12), st.integers(1, 4))
def test_a_form_has_room_for_what_it_asks(kinds: list[str], fields: int) -> None:
    variables = [Variable(f"v{number}", kind, "", "") for number, kind in enumerate(kinds)]
    chosen = asked(variables, fields)
    assert len(chosen) <= fields
    assert list(chosen) == [variable for variable in variables if variable in chosen], "in the template's order"


@pytest.mark.parametrize(
    ("values", "used", "words"),
    [
        ({"port": "8303", "econ_port": "8304"}, {"8305": "EU #2"}, None),
        ({"port": "8303", "econ_port": "8304"}, {"8304": "EU #2"}, "Port 8304 is used by EU #2 on the same host."),
        ({"port": "8303", "econ_port": "8303"}, {}, "Port 8303 is given twice."),
        ({"port": "", "econ_port": ""}, {"": "EU #2"}, None),
        ({}, {"8303": "EU #2"}, None),
    ],
)
def test_one_port_one_server(values: dict[str, str], used: dict[str, str], words: str | None) -> None:
    assert clashing_port([port(), port("econ_port"), text("port_of_call")], values, used) == words
