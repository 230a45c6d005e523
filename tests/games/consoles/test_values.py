"""Whatever is entered for a place in a line, the line stays one command, and the value one argument."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from bot.demo.sevendays import tokenizer
from games.catalog import GameTemplate
from games.consoles.quoting import parts
from games.consoles.values import with_values
from games.lines import one_line
from games.sections.console import ConsoleSpec
from tests.games.conftest import SevenDays, Teeworlds

tricks = st.text(st.one_of(st.sampled_from('\\"; #{}'), st.characters(codec="utf-8")), max_size=30).filter(one_line)
lines = st.lists(st.sampled_from(['"', "\\", '\\"', ";", "#", " ", "say", "{{a}}", "{{b}}"]), max_size=12).map("".join)


def console(catalog: dict[str, GameTemplate], game: str) -> ConsoleSpec:
    spec = catalog[game].console
    assert spec is not None
    return spec


@pytest.mark.parametrize(
    ("game", "line", "values", "sent"),
    [
        ("7dtd", "say {{a}}", {"a": 'we "won"'}, 'say "we ""won"""'),
        ("7dtd", 'say "Now: {{a}}!"', {"a": 'we "won"'}, 'say "Now: we ""won""!"'),
        ("7dtd", "give {{a}} {{b}} 5", {"a": "bob", "b": "{{a}}"}, 'give "bob" "{{a}}" 5'),
        ("7dtd", "give {{a}} {{c}}", {"a": "; # x"}, 'give "; # x" {{c}}'),
        ("teeworlds", "say {{a}}", {"a": 'he said \\"hi\\"'}, 'say "he said \\\\\\"hi\\\\\\""'),
        ("teeworlds", "broadcast {{a}}", {"a": "end\\"}, 'broadcast "end\\\\ "'),
        ("teeworlds", 'say "{{a}}"; status', {"a": 'x" y'}, 'say "x\\" y"; status'),
    ],
)
def test_values_are_quoted_as_the_game_reads_them(
    catalog: dict[str, GameTemplate], game: str, line: str, values: dict[str, str], sent: str
) -> None:
    assert with_values(console(catalog, game), line, values) == sent


@pytest.mark.parametrize(
    ("line", "value", "why"),
    [
        ("say {{a}}", "x; shutdown", "A value contains `;`"),
        ("say {{a}}", "#1", "A value contains `#`"),
        ('add_vote "next" "sv_map {{a}}"', "dm1; shutdown", "A value contains `;`"),
        ("say {{a}}", "x\nshutdown", "line break"),
        ("say {{a}}", "x\u2028shutdown", "line break"),
        ("say {{a}}", "x\0", "line break"),
        ("{{a}} 1", "shutdown", "where the command would stand"),
        ("say hi; {{a}}", "shutdown", "where the command would stand"),
        ('say hi; "{{a}}"', "shutdown", "where the command would stand"),
        ("say \ue000{{a}}", "\ue000", "A value contains"),
    ],
)
def test_what_could_be_more_than_an_argument_is_refused(
    catalog: dict[str, GameTemplate], line: str, value: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        with_values(console(catalog, "teeworlds"), line, {"a": value})


@given(lines, tricks, tricks)
def test_no_value_adds_a_command(catalog: dict[str, GameTemplate], line: str, a: str, b: str) -> None:
    for game in ("teeworlds", "7dtd"):
        spec = console(catalog, game)
        with contextlib.suppress(ValueError):
            before = with_values(spec, line, {"a": "x", "b": "x"})
            after = with_values(spec, line, {"a": a, "b": b})
            assert len(list(parts(spec.quoting, after))) == len(list(parts(spec.quoting, before)))


@given(tricks, tricks)
def test_each_is_one_argument(catalog: dict[str, GameTemplate], a: str, b: str) -> None:
    with contextlib.suppress(ValueError):
        sent = with_values(console(catalog, "7dtd"), 'give {{a}} "{{b}}" 5', {"a": a, "b": b})
        assert tokenizer.split(sent) == ["give", a, b, "5"]


def test_a_command_without_values_is_what_earlier_agents_know() -> None:
    plain = wire.ConsoleCommand(command="say hi")
    assert plain.dump() == {"type": "CONSOLE_COMMAND", "command": "say hi"}
    carried = wire.ConsoleCommand(command="say {{a}}", values={"a": "hi"})
    assert wire.ConsoleCommand.model_validate(carried.dump()) == carried


async def test_teeworlds_says_what_was_entered_and_nothing_else(teeworlds: Teeworlds) -> None:
    answer = await teeworlds.console.command("say {{who}}", {"who": 'ann " say b \\'})
    assert [line.partition("]: ")[2] for line in answer.lines] == ['*** ann " say b \\ ']
    answer = await teeworlds.console.command("say {{who}}", {"who": "ann; say b"})
    assert (answer.outcome, answer.lines) == ("refused", ())
    log = (teeworlds.resolved.directory / "out.log").read_text(errors="replace")
    assert "*** b" not in log


async def test_seven_days_hears_one_text(sevendays: SevenDays) -> None:
    await sevendays.control.join("alice")
    answer = await sevendays.console.command("say {{text}}", {"text": '"all" well; shutdown # now'})
    assert answer.outcome == "answered"
    assert await sevendays.control.heard("alice") == ['"all" well; shutdown # now']


async def test_a_value_reaches_no_forbidden_command(sevendays: SevenDays) -> None:
    answer = await sevendays.console.command("setgamepref {{name}} 1", {"name": "TelnetPort"})
    assert answer.outcome == "refused" and "cannot be sent from here" in answer.reason
