"""Variables take what fits their type, and say in a sentence why not."""

import pytest
from pydantic import ValidationError

from games.patterns import Pattern
from games.variables import Variable

NUMBER = Variable(type="int", min=1, max=64)
MAP = Variable(type="string", pattern=Pattern("^[a-z0-9]+$"), max=8)


@pytest.mark.parametrize(
    ("variable", "given", "kept"),
    [
        (Variable(type="port"), "08081", "8081"),
        (NUMBER, "64", "64"),
        (Variable(type="int"), "-3", "-3"),
        (Variable(type="bool"), "Yes", "true"),
        (Variable(type="bool"), "0", "false"),
        (Variable(type="choice", choices=("dm", "ctf")), "ctf", "ctf"),
        (MAP, "dm1", "dm1"),
        (Variable(type="string"), 'é "x" {dir} 👨‍👩‍👧', 'é "x" {dir} 👨‍👩‍👧'),
    ],
)
def test_takes_what_fits(variable: Variable, given: str, kept: str) -> None:
    assert variable.check("it", given) == kept


@pytest.mark.parametrize(
    ("variable", "given", "sentence"),
    [
        (Variable(type="port"), "70000", "`it` is at most 65535; 70000 is too large."),
        (Variable(type="port"), "0", "`it` is at least 1; 0 is too small."),
        (Variable(type="port"), "80x", "`it` is a whole number; `80x` is none."),
        (Variable(type="port"), "٣", "`it` is a whole number; `٣` is none."),
        (NUMBER, "", "`it` is a whole number; `` is none."),
        (NUMBER, "9" * 5000, f"`it` is a whole number; `{'9' * 40}` is none."),
        (Variable(type="bool"), "perhaps", "`it` is true or false; `perhaps` is neither."),
        (Variable(type="choice", choices=("dm", "ctf")), "x", "`it` is one of dm, ctf; `x` is none of them."),
        (MAP, "../etc", "`it` cannot be `../etc`: it has to match ^[a-z0-9]+$"),
        (MAP, "a" * 9, "`it` has 9 characters; 8 are allowed."),
        (Variable(type="string"), "a\nb", "`it` contains a line break or another control character."),
        (Variable(type="string"), "a\0b", "`it` contains a line break or another control character."),
        (Variable(type="string"), "a\u2028b", "`it` contains a line break or another control character."),
        (Variable(type="secret", generate=24), "a\rb", "`it` contains a line break or another control character."),
    ],
)
def test_refuses_the_rest_in_a_sentence(variable: Variable, given: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="`it`") as refusal:
        variable.check("it", given)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "description",
    [
        {"type": "choice"},
        {"type": "int", "choices": ["1"]},
        {"type": "secret"},
        {"type": "secret", "generate": 24, "default": "x"},
        {"type": "secret", "generate": 4},
        {"type": "string", "generate": 24},
        {"type": "port", "default": 99999},
        {"type": "string", "pattern": "(?=x)"},
        {"type": "string", "patern": "x"},
    ],
)
def test_a_description_that_contradicts_itself_is_refused(description: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Variable.model_validate(description)


def test_secrets_differ_and_need_no_quoting() -> None:
    secret = Variable(type="secret", generate=24)
    made = {secret.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(len(value) == 24 and value.isascii() and value.isalnum() for value in made)
