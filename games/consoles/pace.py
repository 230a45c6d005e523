"""How fast a console is written to."""

import asyncio

from games.sections.console import Pace


class Pacer:
    """A token bucket over the event loop's clock."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._tokens = float(pace.burst)
        self._at: float | None = None

    async def take(self, count: int) -> None:
        """Wait until `count` more lines may be written."""
        missing = count - self._refilled()
        self._tokens -= count
        if missing > 0:
            await asyncio.sleep(missing / self._pace.per_second)

    def _refilled(self) -> float:
        now = asyncio.get_running_loop().time()
        if self._at is not None:
            gained = (now - self._at) * self._pace.per_second
            self._tokens = min(float(self._pace.burst), self._tokens + gained)
        self._at = now
        return self._tokens
