"""The mods that a server has, as its host finds them on its disk."""

from uuid import UUID

from agent import wire
from bot import clock
from bot.errors import NotFound
from bot.services.agents import HostIdentity
from db.engine import Database
from db.queries import mods_inventory


class ModInventory:
    """Takes lists of mods from hosts. The last one counts: a host sends one only when something changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def put(self, host: HostIdentity, server_id: UUID, found: wire.ModList) -> None:
        """Replaces what is known of a server.

        Raises:
            NotFound: not a server of this host.
        """
        async with self._db.uow(host.actor) as tx:
            if not await mods_inventory.own(tx.session, host_id=host.id, org_id=host.org_id, server_id=server_id):
                raise NotFound("This host has no such server.", "Forget it.")
            await mods_inventory.put(
                tx.session,
                org_id=host.org_id,
                server_id=server_id,
                mods=[mod.dump() for mod in found.mods],
                now=clock.now(),
            )
