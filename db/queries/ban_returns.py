"""What servers that come back, new ones and people who come back make of the entries."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_MISSING = text("""/* ban_returns.missing */
    select b.id as ban_id, array(select i.kind from ban_identifiers i where i.org_ban_id = b.id) as kinds
      from org_bans b
     where b.org_id = :org and b.status = 'active' and b.applies_to_all
       and not exists (select 1 from ban_entries e where e.org_ban_id = b.id and e.server_instance_id = :server)
     order by b.id""")

_UNSUPPORTED = text("""/* ban_returns.unsupported */
    select e.org_ban_id as ban_id, array(select i.kind from ban_identifiers i where i.org_ban_id = b.id) as kinds
      from ban_entries e join org_bans b on b.id = e.org_ban_id
     where e.org_id = :org and e.server_instance_id = :server and e.sync_status = 'unsupported' and b.status = 'active'
     order by b.id""")

# After a start: a game that keeps bans in memory has lost them all; for the others what waited for it is due at once.
_AGAIN = text("""/* ban_returns.again */
    with stale as (
      select e.id, e.org_ban_id, :forgets and e.desired_state = 'banned' as lost
        from ban_entries e join org_bans b on b.id = e.org_ban_id
       where e.org_id = :org and e.server_instance_id = :server and e.sync_status <> 'unsupported'
         and (:forgets and e.desired_state = 'banned' or e.sync_status in ('pending', 'failed'))
       order by e.id for update of e)
    update ban_entries e
       set revision = e.revision + case when stale.lost then 1 else 0 end, sync_status = 'pending', next_attempt_at = :now,
           attempts = 0
      from stale where e.id = stale.id returning e.org_ban_id""")

_HOSTED = text("""/* ban_returns.hosted */
    select id from server_instances where org_id = :org and host_id = :host and deleted_at is null order by id""")

# One that has an entry already has been made since, and gets what it lacks when it is up.
_NEW_SERVERS = text("""/* ban_returns.new_servers */
    select s.org_id, s.id as server_id from server_instances s
     where s.deleted_at is null and s.created_at > :since
       and not exists (select 1 from ban_entries e where e.server_instance_id = s.id)
       and exists (select 1 from org_bans b where b.org_id = s.org_id and b.status = 'active' and b.applies_to_all)
     order by 1, 2""")

# Somebody who is on although their ban was applied before they came, by an identity that this server's game bans by: by
# an address only whom it does not know better. A report may be some seconds older than it arrives.
_EVADED = text("""/* ban_returns.evaded */
    select distinct on (e.id) e.id, e.org_ban_id as ban_id, e.org_id, s.id as server_id, s.name as server_name, se.id as session_id
      from player_sessions se
      join server_instances s on s.id = se.server_instance_id and s.deleted_at is null
      join hosts h on h.id = s.host_id join game_types g on g.id = s.game_type_id
      join lateral (select pi.kind, pi.value from player_identities pi where pi.player_id = se.player_id
                     union all select 'ip', host(se.ip) where se.ip is not null) k on true
      join ban_identifiers i on i.org_id = se.org_id and i.kind = k.kind and i.value = k.value and i.is_active
      join ban_entries e on e.org_ban_id = i.org_ban_id and e.server_instance_id = s.id
     where se.ended_at is null and (cast(:org as uuid) is null or se.org_id = cast(:org as uuid))
       and (cast(:servers as uuid[]) is null or s.id = any(cast(:servers as uuid[])))
       and e.desired_state = 'banned' and e.sync_status = 'synced'
       and se.started_at > e.synced_at + make_interval(secs => :grace)
       and exists (select 1 from jsonb_array_elements(h.games) r where r ->> 'id' = g.slug and r -> 'banBy' ? i.kind
                      and (i.kind <> 'ip' or not exists (
                             select 1 from ban_identifiers d
                              where d.org_ban_id = i.org_ban_id and d.kind <> 'ip' and r -> 'banBy' ? d.kind)))
       and not exists (select 1 from ban_events v where v.org_ban_id = e.org_ban_id and v.type = 'evaded'
                          and v.details ->> 'session' = se.id::text)
     order by e.id, se.started_at desc""")

_REPEAT = text("""/* ban_returns.repeat */
    with again as (
      select id from ban_entries where id = any(cast(:entries as uuid[])) and sync_status = 'synced'
       order by server_instance_id, id for update)
    update ban_entries e set sync_status = 'pending', revision = e.revision + 1, attempts = 0, next_attempt_at = :now
      from again where e.id = again.id returning e.id""")


@dataclass(frozen=True)
class Lacking:
    """An active case that a server has no entry for, or one that it could not hold; with its kinds of identity."""

    ban_id: UUID
    kinds: list[str]


@dataclass(frozen=True)
class Evasion:
    """A banned person who is on a server where their ban was applied."""

    id: UUID
    ban_id: UUID
    org_id: UUID
    server_id: UUID
    server_name: str
    session_id: int


async def missing(session: AsyncSession, org_id: UUID, server_id: UUID) -> list[Lacking]:
    """Active cases for all servers that this server has no entry for."""
    return every(Lacking, await session.execute(_MISSING, {"org": org_id, "server": server_id}))


async def unsupported(session: AsyncSession, org_id: UUID, server_id: UUID) -> list[Lacking]:
    """Active cases that this server could not hold."""
    return every(Lacking, await session.execute(_UNSUPPORTED, {"org": org_id, "server": server_id}))


async def again(session: AsyncSession, org_id: UUID, server_id: UUID, *, forgets: bool, now: datetime) -> set[UUID]:
    """A game has started: what it has to be told again, or sooner. The cases concerned."""
    values: dict[str, Any] = {"org": org_id, "server": server_id, "forgets": forgets, "now": now}
    return set(await session.scalars(_AGAIN, values))


async def hosted(session: AsyncSession, org_id: UUID, host_id: UUID) -> list[UUID]:
    """The servers of a host."""
    return list(await session.scalars(_HOSTED, {"org": org_id, "host": host_id}))


async def new_servers(session: AsyncSession, since: datetime) -> list[tuple[UUID, UUID]]:
    """(org, server) of servers made since then that have no case yet, where there are cases for all."""
    return [(row.org_id, row.server_id) for row in await session.execute(_NEW_SERVERS, {"since": since})]


async def evaded(
    session: AsyncSession, org_id: UUID | None, servers: Collection[UUID] | None, grace: float
) -> list[Evasion]:
    """Who is on although banned there, in an org or in all; each session once. `grace`: seconds that a report may be
    late."""
    values = {"org": org_id, "servers": None if servers is None else list(servers), "grace": grace}
    return every(Evasion, await session.execute(_EVADED, values))


async def repeat(session: AsyncSession, entries: Collection[UUID], now: datetime) -> set[UUID]:
    """Lets applied entries be applied anew; those for which that was not under way."""
    return set(await session.scalars(_REPEAT, {"entries": list(entries), "now": now}))
