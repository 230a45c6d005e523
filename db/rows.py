"""Rows as the dataclasses that readers need: columns are matched to fields by name."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from sqlalchemy import Result

T = TypeVar("T")


def one(kind: type[T], result: Result[Any]) -> T | None:
    """The only row, or None."""
    row = result.mappings().one_or_none()
    return None if row is None else kind(**cast("Mapping[str, Any]", row))


def every(kind: type[T], result: Result[Any]) -> list[T]:
    """Every row."""
    return [kind(**cast("Mapping[str, Any]", row)) for row in result.mappings()]
