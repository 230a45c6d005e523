"""Regular expressions of templates: RE2, because Python's own cannot be interrupted and game output is not ours."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol, cast

import re2
from pydantic import PlainSerializer, PlainValidator

RECORD_MAX: Final = 8192
"""Bytes of one console or log record that are looked at; what is longer is cut."""


class _Match(Protocol):
    def groupdict(self) -> Mapping[str, str | None]: ...


class _Compiled(Protocol):
    @property
    def groupindex(self) -> Mapping[str, int]: ...
    def search(self, text: str) -> _Match | None: ...


class _Options(Protocol):
    log_errors: bool


class _Re2(Protocol):
    """What we use of google-re2, which ships no types."""

    error: type[Exception]

    def Options(self) -> _Options: ...
    def compile(self, pattern: str, options: _Options) -> _Compiled: ...


_re2 = cast(_Re2, re2)


class Pattern:
    """An RE2 expression, compiled once. Searches the first `RECORD_MAX` characters of a record."""

    __slots__ = ("_compiled", "source")

    def __init__(self, source: str) -> None:
        """Raise ValueError when RE2 does not take the expression."""
        self.source = source
        options = _re2.Options()
        options.log_errors = False
        try:
            self._compiled = _re2.compile(source, options)
        except _re2.error as error:
            raise ValueError(f"not a valid RE2 expression: {source!r} ({error})") from error

    @property
    def names(self) -> frozenset[str]:
        """Names of its groups."""
        return frozenset(self._compiled.groupindex)

    def matches(self, text: str) -> bool:
        """Whether it occurs in the record."""
        return self._compiled.search(text[:RECORD_MAX]) is not None

    def groups(self, text: str) -> dict[str, str] | None:
        """The named groups that took part in the first match; None when there is no match."""
        found = self._compiled.search(text[:RECORD_MAX])
        if found is None:
            return None
        return {name: value for name, value in found.groupdict().items() if value is not None}

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"


def _compile(value: Any) -> Pattern:
    if isinstance(value, Pattern):
        return value
    if not isinstance(value, str):
        raise ValueError("a regular expression is a string")
    return Pattern(value)


def _source(pattern: Pattern) -> str:
    return pattern.source


Regex = Annotated[Pattern, PlainValidator(_compile), PlainSerializer(_source)]
"""A field that holds a `Pattern`; in a template it is a string."""
