"""A value stays one argument, and a line's commands are seen as the game sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.sevendays import tokenizer
from games.catalog import GameTemplate
from games.consoles.quoting import LINE_MAX, parts, quote, refusal
from games.lines import one_line
from games.sections.console import ConsoleSpec, Quoting

TEEWORLDS = Quoting(style="double_quote_backslash", separator=";", comment="#")
SEVENDAYS = Quoting(style="double_quote_doubled")
texts = st.text(st.one_of(st.sampled_from('\\"; #'), st.characters(codec="utf-8"))).filter(one_line)


def console(catalog: dict[str, GameTemplate], game: str) -> ConsoleSpec:
    spec = catalog[game].console
    assert spec is not None
    return spec


@given(texts, texts)
def test_doubled_quotes_are_read_back_as_one_word(first: str, second: str) -> None:
    line = f"kick 1 {quote(SEVENDAYS, first)} {quote(SEVENDAYS, second)}"
    assert tokenizer.split(line) == ["kick", "1", first, second]


@given(texts, texts)
def test_no_quoted_text_begins_another_command(first: str, second: str) -> None:
    line = f"kick {quote(TEEWORLDS, first)} {quote(TEEWORLDS, second)}"
    assert list(parts(TEEWORLDS, line)) == [line]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b", "\x1b[0m", "\u2029"])
def test_a_line_break_cannot_be_quoted(text: str) -> None:
    for quoting in (TEEWORLDS, SEVENDAYS):
        with pytest.raises(ValueError, match="line break"):
            quote(quoting, text)


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("say a; say b", ["say a", " say b"]),
        ('say "a; b"; c', ['say "a; b"', " c"]),
        ('say "a \\"; b', ['say "a \\"; b']),
        ('say \\"; b', ['say \\"', " b"]),
        ("say a # ; b", ["say a "]),
        ('say "#"; b', ['say "#"', " b"]),
        (";;x", ["", "", "x"]),
    ],
)
def test_commands_of_a_line(line: str, commands: list[str]) -> None:
    assert list(parts(TEEWORLDS, line)) == commands


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "The line is empty."),
        ("  \t ", "The line is empty."),
        ("x" * 600, "The line has 600 characters; 512 are allowed."),
        ("say a\nexec x", "The line contains a line break or another control character."),
        ("say a\rexec x", "The line contains a line break or another control character."),
        ("say a\0", "The line contains a line break or another control character."),
        ("say " + "ä" * 500, "The line has 1004 bytes; the game takes 900."),
        ("say a;exec x", "`exec` reaches files, secrets or the console of the host and cannot be sent from here."),
    ],
)
def test_refusals_are_sentences(catalog: dict[str, GameTemplate], line: str, sentence: str) -> None:
    assert refusal(console(catalog, "teeworlds"), line) == sentence


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u2003 \u200b", "\ufeff", ' "\u00a0" '])
@pytest.mark.parametrize(("game", "command"), [("teeworlds", "sv_rcon_password"), ("7dtd", "setgamepref TelnetPort 1")])
def test_blanks_hide_no_forbidden_command(
    catalog: dict[str, GameTemplate], game: str, command: str, blank: str
) -> None:
    assert "cannot be sent from here" in refusal(console(catalog, game), f"{blank}{command}{blank}")


@pytest.mark.parametrize("game", ["teeworlds", "7dtd"])
@pytest.mark.parametrize("line", ["x" * LINE_MAX, "say\thello", "say 👨‍👩‍👧 é", 'say "'])
def test_ordinary_lines_are_sent(catalog: dict[str, GameTemplate], game: str, line: str) -> None:
    assert refusal(console(catalog, game), line) == ""


@given(before=texts, after=texts, gap=st.sampled_from(["", " ", "\t", "  "]))
def test_a_forbidden_command_never_stands_alone_in_a_part(
    catalog: dict[str, GameTemplate], before: str, after: str, gap: str
) -> None:
    spec = console(catalog, "teeworlds")
    line = f"{before};{gap}EC_Password {after}"
    alone = any(part.strip(" \t").lower().startswith("ec_password") for part in parts(spec.quoting, line))
    assert bool(refusal(spec, line)) or not alone
