"""A ban stays one command about one person, whatever people typed and players call themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.sevendays import tokenizer
from games.catalog import GameTemplate
from games.consoles.meaning import action_line
from games.consoles.quoting import parts
from games.lines import one_line

EOS = "0002" + "a" * 28
texts = st.text(st.one_of(st.sampled_from('\\"; #()'), st.characters(codec="utf-8")), max_size=200).filter(one_line)


def said(catalog: dict[str, GameTemplate], game: str, **values: str) -> str:
    template = catalog[game]
    assert template.console is not None
    return action_line(template.console, template.identity, template.actions["ban"], values)


@given(reason=texts, name=texts)
def test_7dtd_reads_back_what_was_meant(catalog: dict[str, GameTemplate], reason: str, name: str) -> None:
    line = said(catalog, "7dtd", target=f"eos:{EOS}", duration="2", unit="days", reason=reason, name=name)
    *words, read_reason, read_name = tokenizer.split(line)
    assert words == ["ban", "add", f"EOS_{EOS}", "2", "days"]
    assert reason.startswith(read_reason.removesuffix("…").rstrip())
    assert name.startswith(read_name.removesuffix("…").rstrip())
    assert len(line.encode()) <= 900


@given(reason=texts)
def test_teeworlds_reads_one_command_and_the_whole_reason(catalog: dict[str, GameTemplate], reason: str) -> None:
    line = said(catalog, "teeworlds", target="ip:1.2.3.4", duration="5", reason=reason)
    quoting = catalog["teeworlds"].console
    assert quoting is not None
    assert list(parts(quoting.quoting, line)) == [line]
    assert line.startswith('ban 1.2.3.4 5 "')
    plain = line.removeprefix('ban 1.2.3.4 5 "').removesuffix('"').replace('\\"', '"').replace("\\\\", "\\")
    assert len(plain.rstrip().encode()) <= 63  # what is longer, the game cuts in the middle of a letter


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"target": "ip:1.2.3.4; exec x"}, "not an identity"),
        ({"target": "ip:fe80::1%; exec x"}, "not an identity"),
        ({"target": "ip:fe80::1%eth0"}, "not an identity"),
        ({"target": "slot:1"}, "does not ban by slot"),
        ({"target": "steam:76561198000000001"}, "does not ban by steam"),
        ({"target": "1.2.3.4"}, "does not ban by 1.2.3.4"),
        ({"duration": "5; exec x"}, "is not a number"),
        ({"duration": "5 6"}, "is not a number"),
        ({"unit": "minutes; exec x"}, "is not a unit"),
        ({"reason": "a\nexec x"}, "line break"),
        ({"reason": "a\u2028exec x"}, "line break"),
    ],
)
def test_nothing_else_gets_into_the_line(
    catalog: dict[str, GameTemplate], values: dict[str, str], sentence: str
) -> None:
    right = {"target": "ip:1.2.3.4", "duration": "5", "unit": "minutes", "reason": "x"}
    with pytest.raises(ValueError, match=sentence):
        said(catalog, "teeworlds", **(right | values))


@pytest.mark.parametrize("missing", ["target", "duration", "reason"])
def test_without_a_value_nothing_is_said(catalog: dict[str, GameTemplate], missing: str) -> None:
    values = {"target": "ip:1.2.3.4", "duration": "5", "reason": "x"}
    del values[missing]
    with pytest.raises(ValueError, match="has no value"):
        said(catalog, "teeworlds", **values)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("2001:db8:0:0::1", "[2001:db8::1]"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("1.2.3.4", "1.2.3.4"),
    ],
)
def test_an_address_is_written_as_the_game_reads_it(catalog: dict[str, GameTemplate], typed: str, sent: str) -> None:
    line = said(catalog, "teeworlds", target=f"ip:{typed}", duration="5", reason="x")
    assert line == f'ban {sent} 5 "x"'
    assert catalog["teeworlds"].identity.kinds["ip"].read(sent) == catalog["teeworlds"].identity.kinds["ip"].read(typed)
