"""Who is to be banned: a player with all that is known of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

# An address is that of the newest session: whoever had it before may be somebody else.
_KNOWN = text("""/* ban_people.known */
    select p.id as player_id, p.name, p.last_seen_at,
           array(select n.name from player_names n where n.player_id = p.id and n.name <> p.name
                  order by n.last_seen_at desc limit 5) as former_names,
           coalesce((select jsonb_agg(jsonb_build_array(i.kind, i.value)) from player_identities i where i.player_id = p.id),
                    '[]') as identities,
           (select host(se.ip) from player_sessions se where se.player_id = p.id and se.ip is not null
             order by se.started_at desc limit 1) as address,
           coalesce((select jsonb_agg(jsonb_build_array(s.name, s.id) order by lower(s.name))
                       from player_sessions se join server_instances s on s.id = se.server_instance_id
                      where se.player_id = p.id and se.ended_at is null and s.deleted_at is null), '[]') as online_on
      from players p
     where p.org_id = :org
       and p.id = coalesce(cast(:player as uuid), (select i.player_id from player_identities i
                                                    where i.org_id = :org and i.kind = :kind and i.value = :value))""")


@dataclass(frozen=True)
class Known:
    """A player as a ban sees them."""

    player_id: UUID
    name: str
    last_seen_at: datetime
    former_names: list[str]
    identities: list[list[str]]
    address: str | None
    online_on: list[list[str]]
    """Name and id of each server."""


async def known(
    session: AsyncSession, org_id: UUID, *, player_id: UUID | None = None, identity: tuple[str, str] | None = None
) -> Known | None:
    """A player by id, or by one of their identities."""
    kind, value = identity or ("", "")
    values = {"org": org_id, "player": player_id, "kind": kind, "value": value}
    return one(Known, await session.execute(_KNOWN, values))
