"""Players seen on servers: people, names and sessions, set by set."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_SEEN = "jsonb_to_recordset(:seen) s(place int, rank int, kind text, value text)"

_KNOWN = text(f"""/* players.known */
    select s.place, s.rank, i.player_id
      from {_SEEN} join player_identities i on i.org_id = :org and i.kind = s.kind and i.value = s.value
""").bindparams(bindparam("seen", type_=JSONB))

# Two hosts of a guild may see the same new player in the same moment.
_LOCK = text("/* players.lock */ select pg_advisory_xact_lock(hashtextextended('players:' || cast(:org as text), 0))")

_NEW = text("""/* players.new */
    with made as (
      insert into players (id, org_id, name, first_seen_at, last_seen_at)
      select p.id, :org, p.name, :now, :now from jsonb_to_recordset(:people) p(id uuid, name text) returning id, name)
    insert into player_names (player_id, org_id, name, last_seen_at) select id, :org, name, :now from made""").bindparams(
    bindparam("people", type_=JSONB)
)

_IDENTITIES = text("""/* players.identities */
    insert into player_identities (org_id, kind, value, player_id, created_at)
    select :org, i.kind, i.value, i.player, :now from jsonb_to_recordset(:identities) i(player uuid, kind text, value text)
     order by i.kind, i.value
    on conflict (org_id, kind, value) do nothing""").bindparams(bindparam("identities", type_=JSONB))

# A heartbeat comes every few seconds: rows are written when something changed or a minute has passed. They are locked in one
# order, because reports of two hosts may hold the same players.
_NAMES = text("""/* players.names */
    with seen as (
      select distinct on (p.id) p.id, p.name from jsonb_to_recordset(:people) p(id uuid, name text) order by p.id, p.name),
    stale as (
      select p.id, seen.name from players p join seen on seen.id = p.id
       where p.org_id = :org and (p.name <> seen.name or p.last_seen_at < cast(:now as timestamptz) - interval '1 minute')
       order by p.id for no key update of p),
    renamed as (
      update players p set name = stale.name, last_seen_at = :now from stale where p.id = stale.id returning p.id, p.name)
    insert into player_names (player_id, org_id, name, last_seen_at)
    select id, :org, name, :now from renamed
    on conflict (player_id, name) do update set last_seen_at = excluded.last_seen_at""").bindparams(
    bindparam("people", type_=JSONB)
)

_OPEN = text("""/* players.open_sessions */
    insert into player_sessions (org_id, player_id, server_instance_id, slot, started_at, ip)
    select :org, s.player, s.server, s.slot, cast(:now as timestamptz) - make_interval(secs => s.since), cast(s.ip as inet)
      from jsonb_to_recordset(:sessions) s(player uuid, server uuid, slot text, since float, ip text)
     where not exists (select 1 from player_sessions o where o.server_instance_id = s.server and o.player_id = s.player
                          and o.ended_at is null and o.slot is not distinct from s.slot)
    on conflict (server_instance_id, player_id) where ended_at is null do update set slot = excluded.slot
    returning player_id, server_instance_id as server_id, xmax = 0 as joined""").bindparams(
    bindparam("sessions", type_=JSONB)
)

# After a silence nobody knows when they left: they count as gone when their server was last seen.
_CLOSE = text("""/* players.close_sessions */
    update player_sessions o
       set ended_at = greatest(o.started_at, case when v.last_seen_at < cast(:now as timestamptz) - interval '2 minutes'
                                                  then v.last_seen_at else cast(:now as timestamptz) end)
      from server_instances v, players p
     where o.server_instance_id = any(cast(:servers as uuid[])) and o.ended_at is null and v.id = o.server_instance_id
       and p.id = o.player_id
       and not exists (select 1 from jsonb_to_recordset(:sessions) s(player uuid, server uuid)
                        where s.server = o.server_instance_id and s.player = o.player_id)
    returning o.player_id, o.server_instance_id as server_id, p.name, o.ended_at""").bindparams(
    bindparam("sessions", type_=JSONB)
)


_LINK = text("""/* players.link */
    update players set user_id = cast(:user as uuid) where id = :player and org_id = :org""")


@dataclass(frozen=True)
class Left:
    """A session that has ended."""

    player_id: UUID
    server_id: UUID
    name: str
    ended_at: datetime


async def known(session: AsyncSession, org_id: UUID, seen: Sequence[dict[str, Any]]) -> dict[tuple[int, int], UUID]:
    """(place, rank) -> the player who has that identity. `seen`: place, rank, kind and value of every identity."""
    rows = await session.execute(_KNOWN, {"org": org_id, "seen": list(seen)})
    return {(row.place, row.rank): row.player_id for row in rows}


async def lock_new(session: AsyncSession, org_id: UUID) -> None:
    """Of several reports with new players, one at a time goes on, until it commits."""
    await session.execute(_LOCK, {"org": str(org_id)})


async def write_new(session: AsyncSession, org_id: UUID, people: Sequence[dict[str, Any]], now: datetime) -> None:
    await session.execute(_NEW, {"org": org_id, "people": list(people), "now": now})


async def write_identities(
    session: AsyncSession, org_id: UUID, identities: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Adds identities to players; one that is somebody else's already stays theirs."""
    await session.execute(_IDENTITIES, {"org": org_id, "identities": list(identities), "now": now})


async def write_names(session: AsyncSession, org_id: UUID, people: Sequence[dict[str, Any]], now: datetime) -> None:
    await session.execute(_NAMES, {"org": org_id, "people": list(people), "now": now})


async def open_sessions(
    session: AsyncSession, org_id: UUID, sessions: Sequence[dict[str, Any]], now: datetime
) -> set[tuple[UUID, UUID]]:
    """Opens what is not open yet; (player, server) of those who have joined."""
    rows = await session.execute(_OPEN, {"org": org_id, "sessions": list(sessions), "now": now})
    return {(row.player_id, row.server_id) for row in rows if row.joined}


async def close_sessions(
    session: AsyncSession, servers: Collection[UUID], sessions: Sequence[dict[str, Any]], now: datetime
) -> list[Left]:
    """Closes the sessions on these servers that are not among `sessions`."""
    return every(
        Left, await session.execute(_CLOSE, {"servers": list(servers), "sessions": list(sessions), "now": now})
    )


async def link(session: AsyncSession, org_id: UUID, player_id: UUID, user_id: UUID) -> None:
    """Says which user a player is."""
    await session.execute(_LINK, {"org": org_id, "player": player_id, "user": user_id})
