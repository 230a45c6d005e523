"""What heartbeats mean for bans: games that started, hosts that can do something else now, banned people who are on."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.ban_ids import usable
from bot.domain.bans import IN_MEMORY
from bot.services.bans_syncing import edit_notices, start
from db.queries import ban_entries, ban_returns, bans_write
from db.queries.ban_entries import Place
from db.queries.ban_returns import Lacking
from db.uow import Tx

LATE: Final = 3.0
"""Seconds that a list of players may be older than its arrival."""


async def started(tx: Tx, servers: Collection[UUID]) -> None:
    """These servers of the actor's org have become ready: they get the cases that they lack, and those that their game
    has forgotten."""
    for server_id in sorted(servers):
        place = await ban_entries.place(tx.session, tx.actor.org, server_id)
        if place is not None:
            await complete(tx, place)
            forgets = IN_MEMORY in place.capabilities
            await ban_returns.again(tx.session, tx.actor.org, server_id, forgets=forgets, now=clock.now())
    await start(tx, servers)


async def complete(tx: Tx, place: Place) -> int:
    """Gives a server an entry for every active case for all servers; how many it lacked."""
    lacking = await ban_returns.missing(tx.session, tx.actor.org, place.id)
    if lacking:
        rows = [(case.ban_id, place.id, "pending" if _holds(place, case) else "unsupported") for case in lacking]
        await ban_entries.wish(tx.session, tx.actor.org, rows, clock.now())
    return len(lacking)


async def able(tx: Tx, host_id: UUID) -> None:
    """A host of the actor's org reports other games: what a server could not hold it may hold now."""
    changed: set[UUID] = set()
    servers = await ban_returns.hosted(tx.session, tx.actor.org, host_id)
    for server_id in servers:
        place = await ban_entries.place(tx.session, tx.actor.org, server_id)
        lacking = await ban_returns.unsupported(tx.session, tx.actor.org, server_id) if place else []
        rows = [(case.ban_id, server_id, "pending") for case in lacking if place and _holds(place, case)]
        if rows:
            await ban_entries.wish(tx.session, tx.actor.org, rows, clock.now())
            changed.update(ban_id for ban_id, _, _ in rows)
    if changed:
        await start(tx, servers)
        await edit_notices(tx, changed)


def _holds(place: Place, case: Lacking) -> bool:
    return bool(usable(case.kinds, place.ban_by, place.capabilities))


async def evaded(tx: Tx, servers: Collection[UUID] | None = None) -> int:
    """Banned people of the actor's org who are on although their ban was applied: written down once a session, and the
    server is told again. How many there are."""
    found = await ban_returns.evaded(tx.session, tx.actor.org, servers, LATE)
    again = await ban_returns.repeat(tx.session, [one.id for one in found], clock.now()) if found else set[UUID]()
    seen = [one for one in found if one.id in again]  # the others are being seen to by somebody else
    for one in seen:
        details = {"server": one.server_name, "serverId": str(one.server_id), "session": str(one.session_id)}
        await bans_write.tell(tx.session, tx.actor.org, one.ban_id, "evaded", details, by=None, now=clock.now())
    await start(tx, {one.server_id for one in seen})
    return len(seen)
