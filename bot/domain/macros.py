"""Macros: a text with parameters in it, and what may be entered for them.

    say {{name}} wins {{amount:number 1-100}} on {{map:choice dm1|dm2}}

A value goes into its place literally, once: what looks like a parameter inside a value stays as it is.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Kind = Literal["text", "number", "choice"]

MOST: Final = 5
"""Parameters of one macro: a form of Discord has five fields."""
LONGEST_TEXT: Final = 200
"""Characters of a text that is entered."""
LONGEST_CHOICE: Final = 40
MOST_CHOICES: Final = 25
FORMS: Final = "`{{name}}`, `{{motd:text 80}}`, `{{amount:number 1-100}}` or `{{map:choice dm1|dm2}}`"
_USUAL_TEXT: Final = 100
_LARGEST: Final = 10**9

_NAME: Final = re.compile(r"[a-z0-9_-]{1,32}\Z")
_SPOT: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PARAM: Final = re.compile(r"([a-z][a-z0-9_]{0,31})(?::\s*(text|number|choice)\s*(.*))?\Z", re.DOTALL)
_RANGE: Final = re.compile(r"(-?[0-9]{1,9})\s*-\s*(-?[0-9]{1,9})\Z")
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,10}\Z")
_UNSENT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class Param:
    """What is asked for. `low` and `high`: of a number; `high` of a text: its characters."""

    name: str
    kind: Kind = "text"
    low: int = -_LARGEST
    high: int = _LARGEST
    choices: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        words = self.name.replace("_", " ").strip()
        return words[:1].upper() + words[1:]

    @property
    def words(self) -> str:
        """What may be entered: `a number from 1 to 100`."""
        match self.kind:
            case "number" if (self.low, self.high) == (-_LARGEST, _LARGEST):
                return "a whole number"
            case "number":
                return f"a whole number from {self.low} to {self.high}"
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "text":
                return f"a text of at most {self.high} characters"

    def dump(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "kind": self.kind,
            "low": self.low,
            "high": self.high,
            "choices": list(self.choices),
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Param":
        return cls(stored["name"], stored["kind"], stored["low"], stored["high"], tuple(stored["choices"]))


@dataclass(frozen=True)
class Template:
    """A text with `{{name}}` in the places of its parameters."""

    text: str
    params: tuple[Param, ...]


def name_of(text: str) -> str:
    """What a macro is called.

    Raises:
        ValueError: with a sentence.
    """
    name = text.strip().lower()
    if not _NAME.match(name):
        raise ValueError("A macro's name has 1 to 32 of a-z, 0-9, _ and -")
    return name


def parse(text: str) -> Template:
    """The text with its parameters understood.

    Raises:
        ValueError: with a sentence that says which parameter is wrong, and how it would be right.
    """
    found: dict[str, Param] = {}

    def place(spot: re.Match[str]) -> str:
        param, plain = _param(spot[1].strip())
        known = found.setdefault(param.name, param)
        if known != param and not plain:
            raise ValueError(f"{param.name} is there twice and not the same; write the second as {{{{{param.name}}}}}")
        return f"{{{{{param.name}}}}}"

    rest = _SPOT.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise ValueError(f"a parameter is not closed; they are written {FORMS}")
    written = _SPOT.sub(place, text)
    if len(found) > MOST:
        raise ValueError(f"it has {len(found)} parameters, and a form has room for {MOST}")
    return Template(written, tuple(found.values()))


def _param(text: str) -> tuple[Param, bool]:
    """A parameter, and whether it is written without a kind."""
    match = _PARAM.match(text)
    if match is None:
        raise ValueError(f"{{{{{text[:60]}}}}} is no parameter; they are written {FORMS}")
    name, kind, rest = match[1], match[2] or "text", (match[3] or "").strip()
    match kind:
        case "number":
            return _number(name, rest), False
        case "choice":
            return _choice(name, rest), False
        case _:
            return _text(name, rest), match[2] is None


def _number(name: str, rest: str) -> Param:
    if not rest:
        return Param(name, "number")
    bounds = _RANGE.match(rest)
    if bounds is None or int(bounds[1]) >= int(bounds[2]):
        raise ValueError(f"{name}: the range of a number is written like 1-100, the smaller one first")
    return Param(name, "number", int(bounds[1]), int(bounds[2]))


def _choice(name: str, rest: str) -> Param:
    choices = tuple(dict.fromkeys(" ".join(word.split()) for word in rest.split("|")))
    if not 2 <= len(choices) <= MOST_CHOICES or not all(0 < len(word) <= LONGEST_CHOICE for word in choices):
        raise ValueError(
            f"{name}: a choice has 2 to {MOST_CHOICES} words of at most {LONGEST_CHOICE} characters, like dm1|dm2"
        )
    if len({word.casefold() for word in choices}) < len(choices) or any(set("{}") & set(word) for word in choices):
        raise ValueError(f"{name}: two of its choices read the same, or one has a brace in it")
    return Param(name, "choice", choices=choices)


def _text(name: str, rest: str) -> Param:
    if not rest:
        return Param(name, high=_USUAL_TEXT)
    if not (rest.isascii() and rest.isdigit() and len(rest) < 4 and 1 <= int(rest) <= LONGEST_TEXT):
        raise ValueError(f"{name}: a text has at most 1 to {LONGEST_TEXT} characters, written like text 80")
    return Param(name, high=int(rest))


def entered(param: Param, typed: str) -> str:
    """What was typed, as its value.

    Raises:
        ValueError: with a sentence; it is nothing that may be entered there.
    """
    value = typed.strip()
    if not value:
        raise ValueError(f"{param.label} is empty; it is {param.words}")
    match param.kind:
        case "number":
            if not _WHOLE.match(value) or not param.low <= int(value) <= param.high:
                raise ValueError(f"{param.label} is {param.words}")
            return str(int(value))
        case "choice":
            same = [word for word in param.choices if word.casefold() == " ".join(value.split()).casefold()]
            if not same:
                raise ValueError(f"{param.label} is {param.words}")
            return same[0]
        case "text":
            if len(value) > param.high:
                raise ValueError(f"{param.label} has {len(value)} characters; it is {param.words}")
            if any(unicodedata.category(char) in _UNSENT for char in value):
                raise ValueError(f"{param.label} has a line break or another control character")
            return value


def filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values in their places. Parameters without a value stay as they are."""
    return _SPOT.sub(lambda spot: values.get(spot[1], spot[0]), text)


def leads(template: Template) -> Param | None:
    """The text that is entered where the command itself would stand."""
    first = next((param for param in template.params if template.text.startswith(f"{{{{{param.name}}}}}")), None)
    return first if first and first.kind == "text" else None
