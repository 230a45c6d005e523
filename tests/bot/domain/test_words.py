"""What is left of a text that somebody else chose."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.words import count, safe

ZERO_WIDTH = "\u200b"
"""The one invisible sign that we put in ourselves, where a mention or a link would begin."""

NASTY = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("*_`~|[]()<>@#&!:/\\-.>0123456789 \n\r\t\x00\x1b\u200b\u202e\u2066\u061c\ufeff\u2028")),
        st.characters(),
    ),
    max_size=300,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("EU #1", "EU #1"),
        ("Dust & Iron", "Dust & Iron"),
        ("**bold** _it_ ~~no~~", r"\*\*bold\*\* \_it\_ \~\~no\~\~"),
        ("`code` ||spoiler||", r"\`code\` \|\|spoiler\|\|"),
        ("[a](https://evil.example)", "\\[a\\](https:\u200b//evil.example)"),
        ("@everyone", "@\u200beveryone"),
        ("<@123> <#5> <:a:1> </ban:1>", "‹@\u200b123> ‹#5> ‹:a:1> ‹/ban:1>"),
        ("# Title", r"\# Title"),
        ("-# small", r"\-# small"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("> quote", r"\> quote"),
        (">>> quote", r"\>>> quote"),
        ("two\nlines\r\nthree", "two lines three"),
        ("a\u202egnp.exe", "a gnp.exe"),
        ("a\u061cb\u2066c\u200ed\ufeffe", "a b c d e"),
        ("in\u00advisible\U000e0041", "in visible"),
        ("\\*", "\\\\\\*"),
        ("   ", ""),
        ("日本語 · Ω", "日本語 · Ω"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert safe(text) == shown


@pytest.mark.parametrize("limit", [1, 10, 100])
def test_what_is_too_long_ends_with_dots(limit: int) -> None:
    assert safe("x" * 200, limit) == "x" * (limit - 1) + "…"
    assert safe("x" * limit, limit) == "x" * limit


@given(NASTY)
def test_no_markdown_no_mention_no_link_no_tricks(text: str) -> None:
    shown = safe(text)
    bare = re.sub(r"\\[\\*_`~|\[\]#>.-]", "", shown)
    assert not re.search(r"[*_`~|\[\]\\<]", bare), "every sign of Markdown has its backslash"
    assert not re.search(r"@[^\u200b]", shown) and not shown.endswith("@")
    assert "://" not in shown
    assert not re.match(r"#{1,3}\s|>|-#?\s|\d+\.\s", shown), "no title, quote or list"
    unseen = {char for char in shown if unicodedata.category(char) in ("Cc", "Zl", "Zp")}
    turning = {char for char in shown if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF")}
    isolating = {char for char in shown if unicodedata.bidirectional(char) in ("LRI", "RLI", "FSI", "PDI")}
    assert unseen | turning | isolating == set()
    assert {char for char in shown if unicodedata.category(char) == "Cf"} <= {ZERO_WIDTH}


@given(NASTY, st.integers(1, 300))
def test_the_length_has_a_bound(text: str, limit: int) -> None:
    shown = safe(text, limit)
    assert len(shown) <= 2 * limit + 1
    assert "\n" not in shown and shown == shown.strip()


@given(st.text(alphabet="abcäöü 日本語ABC123!?,;", max_size=80))
def test_ordinary_words_stay_as_they_are(text: str) -> None:
    assert safe(text) == " ".join(text.split())


def test_counts() -> None:
    assert [count(n, "player") for n in (0, 1, 2)] == ["0 players", "1 player", "2 players"]
    assert count(2, "entry", "entries") == "2 entries"
