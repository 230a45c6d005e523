"""Whom else a ban by an address concerns: people of one house, and whoever has the same provider."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot.services.bans_people import Somebody
from db.queries import ban_addresses
from db.queries.ban_addresses import Sharer


@dataclass(frozen=True)
class Sharing:
    """Who else is known by the address of somebody: where a game bans by it, they are kept out, too."""

    cases: tuple[Sharer, ...]
    players: tuple[str, ...]
    """Others who were seen from it, by name."""


async def sharing(session: AsyncSession, org_id: UUID, who: Somebody, ban_id: UUID | None) -> Sharing | None:
    """Whom somebody shares an address with, `ban_id` being their own case; None: with nobody that is known."""
    addresses = [value for kind, value in who.identities if kind == "ip"]
    if not addresses:
        return None
    held = await ban_addresses.cases(session, org_id, addresses, ban_id)
    others = await ban_addresses.players(session, org_id, addresses, who.player_id)
    return Sharing(tuple(held), tuple(others)) if held or others else None
