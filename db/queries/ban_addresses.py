"""Who else is concerned where somebody is banned by an address."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_CASES = text("""/* ban_addresses.cases */
    select distinct b.number, coalesce(b.player_name, '') as name
      from ban_identifiers i join org_bans b on b.id = i.org_ban_id
     where i.org_id = :org and i.kind = 'ip' and i.value = any(cast(:addresses as text[])) and i.is_active
       and i.org_ban_id is distinct from cast(:ban as uuid) order by b.number""")

_SAME = text("""/* ban_addresses.with_the_same */
    select distinct b.number, coalesce(b.player_name, '') as name
      from ban_identifiers m
      join ban_identifiers i on i.org_id = m.org_id and i.kind = m.kind and i.value = m.value and i.is_active
      join org_bans b on b.id = i.org_ban_id
     where m.org_id = :org and m.org_ban_id = :ban and m.kind = 'ip' and b.id <> m.org_ban_id order by b.number""")

# Addresses are kept for 30 days; whoever had one before is not asked about.
_PLAYERS = text("""/* ban_addresses.players */
    select p.name from players p
     where p.org_id = :org and p.id is distinct from cast(:player as uuid) and p.id in (
             select se.player_id from player_sessions se
              where se.org_id = :org and se.ip = any(cast(cast(:addresses as text[]) as inet[])))
     order by p.last_seen_at desc, p.id""")


@dataclass(frozen=True)
class Sharer:
    """An active case with the same address."""

    number: int
    name: str


async def cases(
    session: AsyncSession, org_id: UUID, addresses: Collection[str], ban_id: UUID | None = None
) -> list[Sharer]:
    """Active cases with one of these addresses, except that one."""
    values = {"org": org_id, "addresses": sorted(addresses), "ban": ban_id}
    return every(Sharer, await session.execute(_CASES, values))


async def with_the_same(session: AsyncSession, org_id: UUID, ban_id: UUID) -> list[Sharer]:
    """Other active cases with an address of this one."""
    return every(Sharer, await session.execute(_SAME, {"org": org_id, "ban": ban_id}))


async def players(session: AsyncSession, org_id: UUID, addresses: Collection[str], player_id: UUID | None) -> list[str]:
    """Other players who were seen from one of these addresses by name, the newest first."""
    values = {"org": org_id, "addresses": sorted(addresses), "player": player_id}
    return list(await session.scalars(_PLAYERS, values))
