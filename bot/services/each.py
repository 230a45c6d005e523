"""Ticks that look at many things, each in a transaction of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, TypeVar

A = TypeVar("A")
R = TypeVar("R")


async def each(
    found: Iterable[A], do: Callable[[A], Coroutine[Any, Any, R]], *, passed_over: tuple[type[Exception], ...] = ()
) -> list[R]:
    """What was done with each of them, one after the other. One that fails stops none of those behind it: the first
    error is raised when all have had their turn. `passed_over`: errors after which the next tick simply looks again."""
    done: list[R] = []
    errors: list[BaseException] = []
    for one in found:
        (ended,) = await asyncio.gather(do(one), return_exceptions=True)
        if not isinstance(ended, BaseException):
            done.append(ended)
        elif not isinstance(ended, passed_over):
            errors.append(ended)
    if errors:
        raise errors[0]
    return done
