"""Players as they are seen: who is online where, and suggestions by name."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one


@dataclass(frozen=True)
class Sighting:
    """A player, and the server they are on or were last seen on, among those that the reader sees."""

    player_id: UUID
    name: str
    server_id: UUID | None
    server_name: str | None
    online: bool
    since: datetime | None
    last_seen_at: datetime
    identities: dict[str, str]


_COLUMNS = f"""
    select p.id as player_id, p.name, s.id as server_id, s.name as server_name, se.ended_at is null and se.id is not null as online,
           se.started_at as since, p.last_seen_at,
           coalesce((select jsonb_object_agg(i.kind, i.value) from player_identities i where i.player_id = p.id), '{{{{}}}}') as identities
      from {{players}} p
      left join lateral (select * from player_sessions se where se.player_id = p.id and {covered("se.server_instance_id")}
                          order by se.ended_at is null desc, se.started_at desc limit 1) se on true
      left join server_instances s on s.id = se.server_instance_id"""

# Whoever is online was seen last, so the newest are found first and only those are joined: there may be 100,000 players.
_FOUND = """(
    select p.* from players p
     where p.org_id = :org and (:words = '' or p.name ilike '%' || :words || '%'
        or exists (select 1 from player_names n where n.player_id = p.id and n.name ilike '%' || :words || '%')
        or exists (select 1 from player_identities i where i.player_id = p.id and i.value = :exact))
     order by p.last_seen_at desc limit :limit)"""
_SUGGEST = text(f"""/* sightings.suggest */ {_COLUMNS.format(players=_FOUND)}
     order by online desc, p.last_seen_at desc""")

_ONLINE = text(f"""/* sightings.online */
    select p.id as player_id, p.name, s.id as server_id, s.name as server_name, true as online, se.started_at as since,
           p.last_seen_at,
           coalesce((select jsonb_object_agg(i.kind, i.value) from player_identities i where i.player_id = p.id), '{{}}') as identities
      from player_sessions se join players p on p.id = se.player_id join server_instances s on s.id = se.server_instance_id
     where se.org_id = :org and se.ended_at is null and s.deleted_at is null
       and (cast(:server as uuid) is null or se.server_instance_id = :server) and {covered("se.server_instance_id")}
     order by lower(s.name), lower(p.name) limit :limit offset :offset""")

_ONE = text(f"/* sightings.player */ {_COLUMNS.format(players='players')} where p.org_id = :org and p.id = :player")

_PRESENCE = text("""/* sightings.presence */
    select s.id as server_id, host(se.ip) as ip from player_sessions se
      join server_instances s on s.id = se.server_instance_id
     where se.org_id = :org and se.player_id = :player and se.ended_at is null
       and (cast(:server as uuid) is null or s.id = :server) order by se.started_at desc""")


@dataclass(frozen=True)
class Presence:
    """Where a player is now, and from which address, where the game tells."""

    server_id: UUID
    ip: str | None


def _like(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def suggest(session: AsyncSession, org_id: UUID, words: str, *, scope: Scope, limit: int = 25) -> list[Sighting]:
    """Players by name, former name or exact id; who is online comes first."""
    values = {"org": org_id, "words": _like(words), "exact": words.strip(), "limit": limit, **scope_values(scope)}
    return every(Sighting, await session.execute(_SUGGEST, values))


async def online(
    session: AsyncSession, org_id: UUID, server_id: UUID | None, *, scope: Scope, limit: int, offset: int
) -> list[Sighting]:
    values = {"org": org_id, "server": server_id, "limit": limit, "offset": offset, **scope_values(scope)}
    return every(Sighting, await session.execute(_ONLINE, values))


async def player(session: AsyncSession, org_id: UUID, player_id: UUID, *, scope: Scope) -> Sighting | None:
    return one(Sighting, await session.execute(_ONE, {"org": org_id, "player": player_id, **scope_values(scope)}))


async def presence(session: AsyncSession, org_id: UUID, player_id: UUID, server_id: UUID | None) -> list[Presence]:
    """Where a player is now; the newest session first."""
    return every(Presence, await session.execute(_PRESENCE, {"org": org_id, "player": player_id, "server": server_id}))
