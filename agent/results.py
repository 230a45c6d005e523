"""Brings the results of the spool to the bot, each until it is acknowledged."""

import asyncio
import logging
from typing import Final
from uuid import UUID

from agent import wire
from agent.http import Refused, Unavailable
from agent.link import Link
from agent.spool import Spool

log = logging.getLogger(__name__)

AT_ONCE: Final = 8
"""Results on their way at a time: a run whose result waits for those before it is given up when its lease passes."""
AGAIN: Final = 0.5
"""Seconds until what did not get through is sent again, where something else did: a line that fails now and then must
not be waited for like one that is down."""
FINAL: Final = {404, 409, 413, 422}
"""Refusals after which sending again is of no use: not ours, over, too large, not understood."""


class Delivery:
    """The way of results from this host to the bot."""

    def __init__(self, link: Link, spool: Spool) -> None:
        self._link = link
        self._spool = spool
        self._due = asyncio.Event()

    def hurry(self) -> None:
        """There may be something new."""
        self._due.set()

    async def deliver(self) -> None:
        """Send all there is, then wait until there is more. Raises a `LinkError` when something is left."""
        self._due.clear()
        await self.flush()
        await self._due.wait()

    async def flush(self) -> None:
        """Send all there is, again and again while some of it gets through. Raises `Unavailable` when nothing does."""
        failed = await self._round()
        while failed:
            await asyncio.sleep(max(AGAIN, failed.retry_after or 0.0))
            failed = await self._round()

    async def _round(self) -> Unavailable | None:
        """Send each once; why some are left. One result that the bot chokes on does not keep the others back."""
        failed, sent = None, 0
        waiting = await asyncio.to_thread(self._spool.pending)
        while waiting and (failed is None or failed.status is not None):
            some, waiting = waiting[:AT_ONCE], waiting[AT_ONCE:]
            for end in await asyncio.gather(*(self._send(*one) for one in some), return_exceptions=True):
                if isinstance(end, Unavailable):
                    failed = end
                elif end is not None:
                    raise end
                else:
                    sent += 1
        if failed and not sent:
            raise failed
        return failed

    async def _send(self, run_id: UUID, result: wire.Result) -> None:
        try:
            answer = await self._link.result(run_id, result)
        except Refused as error:
            if error.status not in FINAL:
                raise
            log.warning("the bot does not want the result of run %s: %s", run_id, error)
        else:
            if not answer.accepted:
                log.info("the result of run %s came too late or was known already", run_id)
        await asyncio.to_thread(self._spool.acknowledge, run_id)
