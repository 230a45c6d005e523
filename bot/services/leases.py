"""Duties that one process at a time may have: a row with holder, epoch and expiry.

An advisory lock would hang for ever with a holder that is stopped but not dead.
"""

from bot.domain.actors import system
from db.engine import Database
from db.queries import operations

SECONDS = 15.0
"""How long a lease holds without renewal."""


class Leases:
    """Takes, renews and gives back duties for one process (`holder`)."""

    def __init__(self, db: Database, holder: str) -> None:
        self._db = db
        self.holder = holder
        self.held: dict[str, int] = {}

    async def take(self, duty: str) -> int | None:
        """Takes a duty that is free, lapsed or ours; its epoch, or None while another holder lives."""
        async with self._db.uow(system("leases")) as tx:
            epoch = await operations.take_lease(tx.session, duty, self.holder, SECONDS)
        if epoch is not None:
            self.held[duty] = epoch
        return epoch

    async def renew(self, duty: str) -> bool:
        """Keeps a duty. False: it has lapsed, and whoever did it must stop at once."""
        async with self._db.uow(system("leases")) as tx:
            kept = await operations.renew_lease(tx.session, duty, self.holder, self.held.get(duty, 0), SECONDS)
        if not kept:
            self.held.pop(duty, None)
        return kept

    async def release(self, duty: str) -> None:
        """Gives a duty back, so that another process need not wait for it to lapse."""
        epoch = self.held.pop(duty, None)
        if epoch is not None:
            async with self._db.uow(system("leases")) as tx:
                await operations.release_lease(tx.session, duty, self.holder, epoch)
