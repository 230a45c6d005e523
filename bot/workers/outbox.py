"""Sends what the outbox owes: woken by NOTIFY and by a tick, paced so that Discord has nothing to complain about."""

import asyncio
import logging
import time
from collections import deque
from typing import Final, Protocol

from bot import clock
from bot.errors import AppError
from bot.services.outbox import Delayed, Delivery, Outbox, OutboxRow

log = logging.getLogger(__name__)

PER_SECOND: Final = 48
"""Requests a second over all channels; Discord's global limit is 50."""
PER_CHANNEL: Final = 5
CHANNEL_WINDOW: Final = 5.0
"""At most `PER_CHANNEL` requests to one channel in this many seconds."""
IDLE_POLL: Final = 1.0


class Sender(Protocol):
    """Says one row; implemented by the messenger."""

    async def deliver(self, row: OutboxRow) -> Delivery: ...


class Pace:
    """When the next request may leave: evenly over the second (a burst draws 429s), and a window per channel."""

    def __init__(self) -> None:
        self._next = 0.0
        self._channels: dict[int, deque[float]] = {}
        self._paused: dict[int, float] = {}

    def wait(self, channel: int, now: float) -> float:
        """Books a place and returns the seconds until then."""
        recent = self._channels.setdefault(channel, deque(maxlen=PER_CHANNEL))
        earliest = max(now, self._next, self._paused.get(channel, 0.0))
        if len(recent) == PER_CHANNEL:
            earliest = max(earliest, recent[0] + CHANNEL_WINDOW)
        recent.append(earliest)
        self._next = max(self._next, now) + 1 / PER_SECOND
        return earliest - now

    def pause(self, channel: int, until: float) -> None:
        """Discord asked this channel to wait."""
        self._paused[channel] = until


class OutboxWorker:
    """The loop around `Outbox.claim`. Any number may run: rows are claimed with SKIP LOCKED."""

    def __init__(self, outbox: Outbox, sender: Sender) -> None:
        self._outbox = outbox
        self._sender = sender
        self._pace = Pace()
        self._wake = asyncio.Event()
        self._stopping = False

    def wake(self, _payload: str = "") -> None:
        """New rows are waiting; called on NOTIFY."""
        self._wake.set()

    async def flush(self) -> int:
        """Sends everything that is due now and returns how many rows there were."""
        total = 0
        while rows := await self._outbox.claim():
            await asyncio.gather(*(self._send(row) for row in rows))
            total += len(rows)
        return total

    async def run(self) -> None:
        """Sends until `stop()`; an error of one round is logged and the next one tries again."""
        while not self._stopping:
            self._wake.clear()
            try:
                await self.flush()
            except AppError as error:
                log.warning("outbox: %s", error)
            except Exception:  # the loop goes on: other messages wait behind this one
                log.exception("outbox round failed")
            try:
                async with asyncio.timeout(IDLE_POLL):
                    await clock.idle(self._wake.wait(), "the outbox is empty")
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Lets the round that is under way be the last."""
        self._stopping = True
        self._wake.set()

    async def _send(self, row: OutboxRow) -> None:
        await asyncio.sleep(self._pace.wait(row.channel_id, time.monotonic()))
        delivery = await self._sender.deliver(row)
        if isinstance(delivery, Delayed):
            self._pace.pause(row.channel_id, time.monotonic() + delivery.seconds)
        await self._outbox.settle(row, delivery)
