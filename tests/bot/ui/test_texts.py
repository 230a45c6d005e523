"""How values are written."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Invalid
from bot.ui import audit, texts
from bot.ui.ids import ROUTE, Short, custom_id
from tests.bot.ui import samples


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0.0 s"),
        (1.5, "1.5 s"),
        (10, "10 s"),
        (60, "1 min"),
        (65, "1 min 5 s"),
        (3600, "1 h"),
        (90_061, "1 d 1 h 1 min 1 s"),
    ],
)
def test_how_long_something_took(seconds: float, words: str) -> None:
    assert texts.span(timedelta(seconds=seconds)) == words


def test_times_are_discords_own() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    assert (texts.ago(moment), texts.at(moment), texts.ago(None)) == ("<t:1767225600:R>", "<t:1767225600:f>", "never")


@given(
    st.text(alphabet=st.one_of(st.sampled_from("`\n\r\x00\x1b\u202e "), st.characters()), max_size=400),
    st.integers(2, 300),
)
def test_output_stays_in_its_block(output: str, limit: int) -> None:
    shown = texts.block(output, limit)
    assert shown.startswith("```\n") and shown.endswith("\n```") and shown.count("```") == 2
    assert len(shown) <= limit + 8
    assert not set("\x00\x1b\r\u202e") & set(shown)


def test_the_end_of_a_long_output_is_what_is_kept() -> None:
    shown = texts.block(samples.OUTPUT + "the last line")
    assert shown.endswith("the last line\n```") and shown.startswith("```\n…")


@given(st.lists(st.one_of(st.integers(0, 2**63), st.uuids(), st.text(alphabet="abc.-_", max_size=9)), max_size=2))
def test_a_custom_id_brings_its_arguments_back(args: list[int | UUID | str]) -> None:
    match = ROUTE.fullmatch(custom_id("server.show", *args))
    assert match and match["route"] == "server.show"
    plain = [arg.hex if isinstance(arg, UUID) else str(arg) for arg in args]
    assert (match["args"] or "").split(":") == (plain or [""])


@pytest.mark.parametrize(("route", "arg"), [("server.show", "a:b"), ("server.show", "x" * 100), ("Server Show", "x")])
def test_what_is_no_custom_id(route: str, arg: str) -> None:
    with pytest.raises(ValueError):
        custom_id(route, arg)


@given(st.sampled_from(["server", "host", "player", "user"]), st.uuids())
def test_a_packed_target_comes_back(kind: str, identifier: UUID) -> None:
    packed = audit.pack((kind, str(identifier)))
    assert len(packed) == 23 and ":" not in packed and audit.unpack(packed) == (kind, str(identifier))


def test_no_target_packs_to_nothing() -> None:
    assert audit.pack(None) == "" and audit.unpack("") is None


@pytest.mark.parametrize("text", ["x", "!!!", "é", "A" * 30])
def test_what_was_never_packed(text: str) -> None:
    with pytest.raises(Invalid):
        audit.unpack(text)


@given(st.integers(0, 2**63 - 1))
def test_a_number_is_carried_in_base_36(number: int) -> None:
    carried = str(Short(number))
    assert len(carried) <= 13 and Short(carried) == number
    assert custom_id("audit.page", Short(number)) == f"gk:audit.page:{carried}"


@pytest.mark.parametrize("text", ["", "ä", "1:2", "-", "0x?"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError):
        Short(text)
