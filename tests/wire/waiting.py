"""Waiting for what several processes bring about together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


async def eventually(
    look: Callable[[], T | Awaitable[T | None] | None], seconds: float = 20.0, what: Callable[[], str] = lambda: "it"
) -> T:
    """Looks again and again until there is something true. Raises `AssertionError` that says `what` did not come."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        found: Any = look()
        if isinstance(found, Awaitable):
            found = await cast("Awaitable[Any]", found)
        if found:
            return found
        if asyncio.get_running_loop().time() > end:
            raise AssertionError(f"did not happen within {seconds:g} s: {what()}")
        await asyncio.sleep(0.02)
