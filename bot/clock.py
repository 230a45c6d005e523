"""Business time and waiting: the two things that tests and the playground have to be able to steer.

Fences (leases, token expiry) do not use this: they compare PostgreSQL's now() with itself.
"""

from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Idle(Protocol):
    """Awaits something and gives its value back; `reason` says what is waited for."""

    async def __call__(self, awaitable: Awaitable[T], reason: str, /) -> T: ...


def now() -> datetime:
    """The time written into every business timestamp, always in UTC."""
    return datetime.now(UTC)


async def _plain(awaitable: Awaitable[T], reason: str, /) -> T:
    return await awaitable


#: `await idle(event.wait(), "why")` marks an await that may last for ever. A plain await in production; a simulated
#: Discord replaces it, because it otherwise waits for every task to come to rest.
idle: Idle = _plain
