"""Sends what the outbox owes: woken by NOTIFY and by a tick, paced so that Discord has nothing to complain about."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from bot import clock
from bot.errors import AppError
from bot.services.outbox import Delayed, Delivery, Outbox, OutboxRow, Refused

log = logging.getLogger(__name__)

PER_SECOND: Final = 48
"""Requests a second over all channels and all processes; Discord's global limit is 50."""
PER_CHANNEL: Final = 5
CHANNEL_WINDOW: Final = 5.0
"""At most `PER_CHANNEL` requests to one channel in this many seconds."""
IDLE_POLL: Final = 1.0
IN_FLIGHT: Final = 200
"""Rows under way at a time, each by itself: a channel that stands still holds up nobody else."""
LONGEST_WAIT: Final = 15.0
"""Seconds that a claimed row may wait for its place; a claim lapses after 60, and sending may take 30."""
WRITING: Final = 3
"""Rows written down at a time: everything else that this process writes by itself shares the connections, and whoever
gets none within two seconds gives up."""
SETTLE_ATTEMPTS: Final = 20
"""Once a second. What was sent and not written down is looked for in Discord after the claim has lapsed."""


class Sender(Protocol):
    """Says one row; implemented by the messenger."""

    @property
    def ready(self) -> bool:
        """Whether anything can be sent at all; nothing is claimed before."""
        ...

    async def deliver(self, row: OutboxRow) -> Delivery: ...


class Pace:
    """When the next request may leave: evenly over the second (a burst draws 429s), and a window per channel and
    kind of request, because Discord counts posts and edits apart. `senders`: how many processes share the second."""

    def __init__(self, senders: Callable[[], int] = lambda: 1) -> None:
        self._senders = senders
        self._next = 0.0
        self._recent: dict[tuple[int, str], deque[float]] = {}
        self._paused: dict[int, float] = {}

    def wait(self, channel: int, kind: str, now: float) -> float:
        """Seconds until a post, an edit … in this channel may leave. A place is booked unless that is too long."""
        recent = self._recent.setdefault((channel, kind), deque(maxlen=PER_CHANNEL))
        earliest = max(now, self._next, self._paused.get(channel, 0.0))
        if len(recent) == PER_CHANNEL:
            earliest = max(earliest, recent[0] + CHANNEL_WINDOW)
        if earliest - now <= LONGEST_WAIT:
            recent.append(earliest)
            self._next = max(self._next, now) + self._senders() / PER_SECOND
        return earliest - now

    def pause(self, channel: int, until: float) -> None:
        """Discord asked this channel to wait."""
        self._paused[channel] = until


class OutboxWorker:
    """The loop around `Outbox.claim`. Any number may run: rows are claimed with SKIP LOCKED."""

    def __init__(self, outbox: Outbox, sender: Sender, senders: Callable[[], int] = lambda: 1) -> None:
        self._outbox = outbox
        self._sender = sender
        self._pace = Pace(senders)
        self._writing = asyncio.Semaphore(WRITING)
        self._wake = asyncio.Event()
        self._stopping = False
        self._sending: dict[int, asyncio.Task[None]] = {}

    def wake(self, _payload: str = "") -> None:
        """New rows are waiting; called on NOTIFY."""
        self._wake.set()

    async def run(self) -> None:
        """Sends until `stop()`; an error of one round is logged and the next one tries again."""
        while not self._stopping:
            self._wake.clear()
            try:
                self._begin(await self._due())
            except AppError as error:
                log.warning("outbox: %s", error)
            except Exception:  # the loop goes on: other messages wait behind this one
                log.exception("outbox round failed")
            try:
                async with asyncio.timeout(IDLE_POLL):
                    await clock.idle(self._wake.wait(), "the outbox is empty")
            except TimeoutError:
                continue
        await asyncio.gather(*self._sending.values())

    def stop(self) -> None:
        """Nothing more is begun; what is under way is sent."""
        self._stopping = True
        self._wake.set()

    async def _due(self) -> Sequence[OutboxRow]:
        free = IN_FLIGHT - len(self._sending)
        return await self._outbox.claim(free) if free and self._sender.ready else ()

    def _begin(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.id not in self._sending:  # else it takes longer than its claim, which is renewed now
                self._sending[row.id] = asyncio.create_task(self._send(row), name=f"outbox: {row.id}")

    async def _send(self, row: OutboxRow) -> None:
        try:
            await self._settle(row, await self._delivered(row))
        except AppError as error:
            log.warning("outbox: row %d was not written down: %s", row.id, error)
        except Exception:  # the top of a task that nobody awaits
            log.exception("outbox: row %d was not written down", row.id)
        finally:
            del self._sending[row.id]
            if row.op == "post" or len(self._sending) == IN_FLIGHT - 1:
                self._wake.set()  # the next one of its channel may leave now

    async def _delivered(self, row: OutboxRow) -> Delivery:
        wait = self._pace.wait(row.channel_id, row.op, time.monotonic())
        if wait > LONGEST_WAIT:
            return Delayed(wait, "more messages before it than the channel takes")
        await asyncio.sleep(wait)
        try:
            delivery = await self._sender.deliver(row)
        except Exception as error:  # a bug in one card must not hold up the channel for ever
            log.exception("outbox: row %d could not be sent", row.id)
            return Refused(f"{type(error).__name__}: {error}")
        if isinstance(delivery, Delayed):
            self._pace.pause(row.channel_id, time.monotonic() + delivery.seconds)
        return delivery

    async def _settle(self, row: OutboxRow, delivery: Delivery) -> None:
        for _ in range(SETTLE_ATTEMPTS):
            try:
                return await self._write(row, delivery)
            except AppError as error:
                log.warning("outbox: row %d waits to be written down: %s", row.id, error)
                await asyncio.sleep(1)
        return await self._write(row, delivery)

    async def _write(self, row: OutboxRow, delivery: Delivery) -> None:
        async with self._writing:
            await self._outbox.settle(row, delivery)
