"""Work on the disk that is not broken off in the middle."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


async def to_its_end(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """In a thread; who is cancelled waits for it all the same, for it would go on beside whatever undoes it."""
    thread = asyncio.ensure_future(asyncio.to_thread(work, *args, **more))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise
