"""How a console line falls into words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.demo.sevendays import tokenizer


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", []),
        ("lp", ["lp"]),
        (" kick \t 171  ", ["kick", "171"]),
        ('say "hello there"', ["say", "hello there"]),
        ('say "a ""b"" c"', ["say", 'a "b" c']),
        ('say ""', ["say", ""]),
        ('say """"', ["say", '"']),
        ('a"b c"d', ["a", "b c", "d"]),
        ("say a; shutdown", ["say", "a;", "shutdown"]),
        (r'say "a\" b', ["say", "a\\", "b"]),
        ("say 'a b'", ["say", "'a", "b'"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert tokenizer.split(line) == words


@pytest.mark.parametrize(("line", "position"), [('say "a', 4), ('"', 0), ('a "b" "c""', 6)])
def test_an_open_quotation_is_named_by_its_position(line: str, position: int) -> None:
    with pytest.raises(tokenizer.Unclosed, match=f"Quotation started at position {position} was not closed"):
        tokenizer.split(line)


@given(st.lists(st.text()))
def test_doubled_quotes_carry_any_text(texts: list[str]) -> None:
    line = " ".join('"{}"'.format(text.replace('"', '""')) for text in texts)
    assert tokenizer.split(line) == texts
