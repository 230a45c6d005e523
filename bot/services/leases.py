"""Duties that one process at a time may have: a row with holder, epoch and expiry.

An advisory lock would hang for ever with a holder that is stopped but not dead.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Sequence

from bot.errors import Conflict
from db.engine import Database
from db.queries import operations
from db.queries.operations import Held, Lease

log = logging.getLogger(__name__)

SECONDS = 3.5
"""How long a lease holds without renewal. With a look every `EVERY` seconds, what a process that died or stands still
had is somebody else's within five."""
EVERY = 0.5
"""Between two looks, each of which renews everything that a process holds."""


class Leases:
    """Takes, renews and gives back duties for one process (`holder`), each held for `seconds` without a renewal."""

    def __init__(self, db: Database, holder: str, seconds: float | None = None) -> None:
        self._db = db
        self.holder = holder
        self._seconds = SECONDS if seconds is None else seconds
        self.held: dict[str, int] = {}
        """What this process has, as far as it knows, and the epoch of each."""
        self._until: dict[str, float] = {}
        self._turn = asyncio.Lock()
        """A renewal that is under way must not bring back what is given back meanwhile."""

    async def take(self, duty: str) -> int | None:
        """Takes a duty that is free, lapsed or ours; its epoch, or None while another holder lives."""
        async with self._turn:
            asked = time.monotonic()
            async with self._db.statement() as session:
                epoch = await operations.take_lease(session, duty, self.holder, self._seconds)
            if epoch is not None:
                self.held[duty] = epoch
                self._until[duty] = asked + self._seconds
        return epoch

    async def renew(self) -> Sequence[Lease]:
        """Keeps everything that is held, by one statement, and says who has what.

        What somebody else has by now is held no longer: whoever did it must stop at once."""
        async with self._turn:
            asked = time.monotonic()
            async with self._db.statement() as session:
                found = await operations.renew_leases(session, self.held, self.holder, self._seconds)
            kept = {lease.duty for lease in found if lease.kept}
            if lost := self.held.keys() - kept:
                log.warning("another process has %s by now", ", ".join(sorted(lost)))
            self.held = {duty: epoch for duty, epoch in self.held.items() if duty in kept}
            self._until = dict.fromkeys(kept, asked + self._seconds)
        return found

    def leads(self, duty: str) -> bool:
        """Whether the duty is held for certain; not when the lease may have lapsed since its last renewal."""
        return self._until.get(duty, 0.0) > time.monotonic()

    def under(self, duty: str) -> Held:
        """What a write under a duty checks.

        Raises:
            Conflict: it is not held.
        """
        if duty not in self.held:
            raise Conflict(f"This process does not have the duty {duty}.", "Nothing was written.")
        return Held(duty, self.holder, self.held[duty])

    async def release(self, *duties: str) -> None:
        """Gives duties back, so that another process need not wait for them to lapse."""
        async with self._turn:
            mine = {duty: self.held.pop(duty) for duty in duties if duty in self.held}
            for duty in mine:
                del self._until[duty]
            if mine:
                async with self._db.statement() as session:
                    await operations.release_leases(session, mine, self.holder)

    async def forget(self) -> None:
        """Deletes what processes that are gone for long have left."""
        async with self._db.statement() as session:
            await operations.forget_leases(session)


def held_by(leases: Collection[Lease], prefix: str) -> dict[str, str]:
    """Who has what, of the live ones whose duty begins with this: the rest of its name -> holder."""
    return {one.duty.removeprefix(prefix): one.holder for one in leases if one.is_live and one.duty.startswith(prefix)}
