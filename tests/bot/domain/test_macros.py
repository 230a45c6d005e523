"""Parameters written into a text, and what may be entered for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.macros import Param, entered, filled, leads, name_of, parse


def test_parameters_are_read_and_the_text_is_made_plain() -> None:
    found = parse("give {{ who }} {{item: choice wood | stone}} {{n:number 1-50}} {{why:text 80}} to {{who}}")
    assert found.text == "give {{who}} {{item}} {{n}} {{why}} to {{who}}"
    assert found.params == (
        Param("who", high=100),
        Param("item", "choice", choices=("wood", "stone")),
        Param("n", "number", 1, 50),
        Param("why", high=80),
    )
    assert [Param.load(param.dump()) for param in found.params] == list(found.params)
    assert [param.words for param in found.params] == [
        "a text of at most 100 characters",
        "one of wood, stone",
        "a whole number from 1 to 50",
        "a text of at most 80 characters",
    ]
    assert parse("x {{low:number -20--3}}").params == (Param("low", "number", -20, -3),)
    assert parse("say {hello} } {").params == ()
    assert Param("game_map").label == "Game map" and Param("n", "number").words == "a whole number"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("say {{}}", "is no parameter"),
        ("say {{1st}}", "is no parameter"),
        ("say {{Who}}", "is no parameter"),
        ("say {{a\nb}}", "is no parameter"),
        ("say {{who:player}}", "is no parameter"),
        ("say {{who", "not closed"),
        ("say who}}", "not closed"),
        ("say {{a}} {{b", "not closed"),
        ("say {{{{a}}}}", "not closed"),
        ("say {{n:number 5}}", "the range of a number"),
        ("say {{n:number 9-1}}", "the range of a number"),
        ("say {{n:number 1-99999999999}}", "the range of a number"),
        ("say {{n:number ١-٩}}", "the range of a number"),
        ("say {{m:choice one}}", "2 to 25 words"),
        ("say {{m:choice }}", "2 to 25 words"),
        ("say {{m:choice a||b}}", "2 to 25 words"),
        ("say {{m:choice a|A}}", "read the same"),
        ("say {{m:choice a{|b}}", "brace"),
        ("say {{m:choice " + "|".join(f"w{n}" for n in range(26)) + "}}", "2 to 25 words"),
        ("say {{t:text 0}}", "written like text 80"),
        ("say {{t:text 999}}", "written like text 80"),
        ("say {{t:text ²}}", "written like text 80"),
        ("say {{n:number 1-5}} {{n:number 1-6}}", "there twice"),
        ("{{a}}{{b}}{{c}}{{d}}{{e}}{{f}}", "6 parameters"),
    ],
)
def test_what_is_written_wrongly_says_how_it_is_right(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("param", "typed", "value"),
    [
        (Param("n", "number", 1, 50), " 07 ", "7"),
        (Param("n", "number", -5, 5), "-5", "-5"),
        (Param("n", "number"), "+12", "12"),
        (Param("m", "choice", choices=("Big Map", "dm1")), "big  map", "Big Map"),
        (Param("t", high=5), " héy! ", "héy!"),
        (Param("t", high=9), "{{t}} $x`", "{{t}} $x`"),
        (Param("t", high=40), "👨‍👩‍👧 @everyone", "👨‍👩‍👧 @everyone"),
    ],
)
def test_what_is_entered_becomes_a_value(param: Param, typed: str, value: str) -> None:
    assert entered(param, typed) == value


@pytest.mark.parametrize(
    ("param", "typed"),
    [
        (Param("n", "number", 1, 50), "0"),
        (Param("n", "number", 1, 50), "51"),
        (Param("n", "number", 1, 50), "5; shutdown"),
        (Param("n", "number", 1, 50), "1e1"),
        (Param("n", "number", 1, 50), "٣"),
        (Param("n", "number", 1, 50), "9" * 5000),
        (Param("m", "choice", choices=("a", "b")), "c"),
        (Param("m", "choice", choices=("a", "b")), "a|b"),
        (Param("t", high=5), "sixsix"),
        (Param("t", high=50), "a\nshutdown"),
        (Param("t", high=50), "a\rshutdown"),
        (Param("t", high=50), "a\0"),
        (Param("t", high=50), "a\u2028b"),
        (Param("t", high=50), "a\x1b[0m"),
        (Param("t", high=50), "   "),
    ],
)
def test_what_may_not_be_entered_is_refused(param: Param, typed: str) -> None:
    with pytest.raises(ValueError, match=param.label):
        entered(param, typed)


@given(st.text(max_size=40), st.text(max_size=40))
def test_values_go_in_once_and_literally(a: str, b: str) -> None:
    assert filled("x {{a}}-{{b}} {{c}}", {"a": a, "b": b}) == f"x {a}-{b} {{{{c}}}}"


def test_a_text_may_not_lead() -> None:
    assert leads(parse("{{a}} b")) == Param("a", high=100)
    assert leads(parse("{{a:choice x|y}} b")) is None and leads(parse("say {{a}}")) is None


@pytest.mark.parametrize("name", ["", "a b", "x" * 33, "é", "a:b", "@everyone", "a\0"])
def test_names_are_plain(name: str) -> None:
    assert name_of(" Prize-1 ") == "prize-1"
    with pytest.raises(ValueError, match="A macro's name"):
        name_of(name)
