"""What is due about bans without anybody asking: the difference that is left, and cases whose time is over."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain import bans
from bot.domain.actors import system
from bot.services import bans_returns
from bot.services.bans_ending import end
from bot.services.bans_syncing import start
from bot.services.each import each
from db.engine import Database
from db.queries import ban_entries, ban_returns, bans_write

_BATCH: Final = 200
_NEW: Final = timedelta(hours=1)
"""A server that is older has been given its cases when it became ready, if not before."""


class BanSweep:
    """Brings desired and applied together. Any number of processes may sweep."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def expire(self) -> dict[str, int]:
        """Ends the cases whose time is over. One that fails stops none of the others."""
        return {"expired": await self._over()}

    async def _over(self) -> int:
        async with self._db.read() as session:
            over = await bans_write.expired(session, clock.now(), _BATCH)
        return sum(await each(over, self._expire))

    async def _expire(self, found: tuple[UUID, UUID]) -> bool:
        org_id, ban_id = found
        async with self._db.uow(system("bans.expire", org_id)) as tx:
            case = await bans_write.lock(tx.session, org_id, ban_id=ban_id)
            if case is None or case.status != "active" or not bans.ends(case.expires_at, clock.now()):
                return False
            await end(tx, ban_id, "expired", details={})
            tx.audit("ban.expire", resource=("ban", ban_id), number=case.number)
            return True

    async def reconcile(self) -> dict[str, int]:
        """What no event has brought about: new servers, people who came in unseen, servers that wait to be told."""
        looks = {"expired": self._over, "completed": self._complete, "evaded": self._evaded, "jobs": self._start}
        return dict(zip(looks, await each(looks.values(), lambda look: look()), strict=True))

    async def _complete(self) -> int:
        async with self._db.read() as session:
            new = await ban_returns.new_servers(session, clock.now() - _NEW)
        done = 0
        for org_id, servers in _by_org(new):
            async with self._db.uow(system("bans.reconcile", org_id)) as tx:
                for server_id in servers:
                    place = await ban_entries.place(tx.session, org_id, server_id)
                    done += await bans_returns.complete(tx, place) if place else 0
        return done

    async def _evaded(self) -> int:
        async with self._db.read() as session:
            orgs = {one.org_id for one in await ban_returns.evaded(session, None, None, bans_returns.LATE)}
        done = 0
        for org_id in sorted(orgs):
            async with self._db.uow(system("bans.reconcile", org_id)) as tx:
                done += await bans_returns.evaded(tx)
        return done

    async def _start(self) -> int:
        async with self._db.read() as session:
            due = await ban_entries.due(session, clock.now())
        jobs = 0
        for org_id, servers in _by_org(due):
            async with self._db.uow(system("bans.reconcile", org_id)) as tx:
                jobs += len(await start(tx, servers))
        return jobs


def _by_org(pairs: Iterable[tuple[UUID, UUID]]) -> list[tuple[UUID, list[UUID]]]:
    return [
        (org_id, [server for _, server in group]) for org_id, group in groupby(sorted(pairs), key=lambda pair: pair[0])
    ]
