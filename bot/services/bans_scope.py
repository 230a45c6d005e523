"""Which servers a ban is about, and on which of them its author may ban at all."""

from dataclasses import dataclass
from uuid import UUID

from bot.services.servers import permitted
from db.queries import ban_entries
from db.queries.ban_entries import Place
from db.uow import Tx


@dataclass(frozen=True)
class Scope:
    """`everywhere`: later servers, too. `denied`: left out, because the permission is missing there."""

    places: tuple[Place, ...]
    everywhere: bool
    denied: tuple[Place, ...] = ()
    named: UUID | None = None
    """The one that was asked for."""

    @property
    def ban_by(self) -> frozenset[str]:
        """The kinds of identity by which these games ban."""
        return frozenset(kind for place in self.places if "ban" in place.capabilities for kind in place.ban_by)


async def scope(tx: Tx, permission: str, server_ref: str = "") -> Scope:
    """The server that is named, or all on which the actor has the permission.

    Raises:
        NotFound, NotPermitted: no such server, or the permission is missing on all of them.
    """
    if server_ref:
        server = await permitted(tx, server_ref, permission)
        places = await ban_entries.places(tx.session, tx.actor.org, server.id)
        return Scope(tuple(places), everywhere=False, named=server.id)
    places = await ban_entries.places(tx.session, tx.actor.org)
    allowed = await tx.allowed_on(permission, [None, *(place.id for place in places)])
    here = tuple(place for place in places if place.id in allowed)
    if not here:
        await tx.require_on(permission, [place.id for place in places])
    denied = tuple(place for place in places if place.id not in allowed)
    return Scope(here, everywhere=None in allowed and not denied, denied=denied)


async def must_reach(tx: Tx, permission: str, servers: frozenset[UUID], *, everywhere: bool) -> None:
    """What concerns a whole case needs the permission on each of its servers that is still there, and in the whole org
    where it is about later servers, too.

    Raises:
        NotPermitted: it is missing somewhere.
    """
    if everywhere:
        await tx.require(permission)
    live = {place.id for place in await ban_entries.places(tx.session, tx.actor.org)} & servers
    await tx.require_on(permission, live)
