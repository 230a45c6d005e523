"""Variables of a template: typed, with defaults, and secrets that are made on the host."""

import secrets
import string
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from games.lines import one_line
from games.patterns import Regex
from games.sections.base import Section

_ALPHABET: Final = string.ascii_letters + string.digits
_TRUE: Final = {"true", "yes", "on", "1"}
_FALSE: Final = {"false", "no", "off", "0"}
_PORTS: Final = (1, 65535)


def _as_text(value: object) -> object:
    """YAML reads `8081` as a number and `true` as a bool; a value is always text here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


Text = Annotated[str, BeforeValidator(_as_text)]


class Variable(Section):
    """What a person may choose about a server, or (`secret`) what the host makes for it."""

    type: Literal["port", "int", "string", "bool", "choice", "secret"]
    default: Text | None = None
    label: str = ""
    choices: tuple[Text, ...] = ()
    min: int | None = None
    max: int | None = None
    """Smallest and largest number; of a string the most characters."""
    pattern: Regex | None = None
    generate: Annotated[int, Field(ge=12, le=128)] | None = None
    """Characters of a secret."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.choices) != (self.type == "choice"):
            raise ValueError("`choices` belongs to the type choice, and only there")
        if (self.generate is not None) != (self.type == "secret"):
            raise ValueError("`generate` belongs to the type secret, and only there")
        if self.type == "secret" and self.default is not None:
            raise ValueError("a secret has no default: every host makes its own")
        if self.default is not None:
            self.check("default", self.default)
        return self

    @property
    def secret(self) -> bool:
        """Made or read on the host, never reported."""
        return self.type == "secret"

    def new_secret(self) -> str:
        """A fresh random value of letters and digits: needs no quoting in any file or console."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(self.generate or 24))

    def check(self, name: str, value: str) -> str:
        """The value as the template uses it (`yes` becomes `true`); ValueError with a sentence when it does not fit."""
        if not one_line(value):
            raise ValueError(f"`{name}` contains a line break or another control character.")
        match self.type:
            case "port":
                return _number(name, value, *_PORTS)
            case "int":
                return _number(name, value, self.min, self.max)
            case "bool":
                return _truth(name, value)
            case "choice":
                return self._choice(name, value)
            case "string" | "secret":
                return self._string(name, value)

    def _choice(self, name: str, value: str) -> str:
        if value not in self.choices:
            raise ValueError(f"`{name}` is one of {', '.join(self.choices)}; `{value[:40]}` is none of them.")
        return value

    def _string(self, name: str, value: str) -> str:
        longest = self.max or 256
        if len(value) > longest:
            raise ValueError(f"`{name}` has {len(value)} characters; {longest} are allowed.")
        if self.pattern is not None and not self.pattern.matches(value):
            raise ValueError(f"`{name}` cannot be `{value[:40]}`: it has to match {self.pattern.source}")
        return value


def _number(name: str, value: str, least: int | None, most: int | None) -> str:
    digits = value.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        raise ValueError(f"`{name}` is a whole number; `{value[:40]}` is none.")
    number = int(value)
    if least is not None and number < least:
        raise ValueError(f"`{name}` is at least {least}; {number} is too small.")
    if most is not None and number > most:
        raise ValueError(f"`{name}` is at most {most}; {number} is too large.")
    return str(number)


def _truth(name: str, value: str) -> str:
    if value.lower() in _TRUE:
        return "true"
    if value.lower() in _FALSE:
        return "false"
    raise ValueError(f"`{name}` is true or false; `{value[:40]}` is neither.")
