"""What can be made to go wrong from outside: split packets, a frozen main thread, records between answer lines."""

import asyncio


class Faults:
    """Shared by everything that talks. Nothing is wrong at first."""

    def __init__(self) -> None:
        self.dribble = 0  # bytes in a packet; 0 writes whole chunks
        self.between = 0  # noise records still to be put between lines of an answer
        self._running = asyncio.Event()
        self._running.set()

    def hang(self, seconds: float) -> None:
        """Freeze the game and its console: connections are accepted by the kernel, and nothing is said on them."""
        self._running.clear()
        asyncio.get_running_loop().call_later(seconds, self._running.set)

    async def running(self) -> None:
        """Return at once unless the game hangs, then when it is over."""
        await self._running.wait()
