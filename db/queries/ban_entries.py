"""What each server shall have of the cases, and what it has: the reconciler's side."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.bans import Entry, Wanted
from db.rows import every, one

# What a server's game can do is what its host reports of it: the agent's copy of a template counts.
_REPORT = "(select r from jsonb_array_elements(h.games) r where r ->> 'id' = g.slug limit 1)"
_ABLE = f"""array(select jsonb_array_elements_text(coalesce({_REPORT} -> 'capabilities', '[]'))) as capabilities,
           array(select jsonb_array_elements_text(coalesce({_REPORT} -> 'banBy', '[]'))) as ban_by"""
_PLACES = f"""
    select s.id, s.name, s.host_id, s.status, h.status = 'online' as host_online,
           coalesce(h.offline_since, h.last_heartbeat_at) as host_offline_since, g.name as game_name, {_ABLE}
      from server_instances s join game_types g on g.id = s.game_type_id join hosts h on h.id = s.host_id
     where s.deleted_at is null"""

_OF_ORG = text(f"""/* ban_entries.places */ {_PLACES}
    and s.org_id = :org and (cast(:server as uuid) is null or s.id = cast(:server as uuid)) order by lower(s.name), s.id""")

_PLACE = text(f"""/* ban_entries.place */ {_PLACES} and s.org_id = :org and s.id = :server""")

_WISH = text("""/* ban_entries.wish */
    insert into ban_entries (org_id, org_ban_id, server_instance_id, sync_status, revision, next_attempt_at, created_at)
    select :org, w.ban, w.server, w.status, 1, :now, :now
      from jsonb_to_recordset(:rows) w(ban uuid, server uuid, status text) order by w.ban, w.server
    on conflict (org_ban_id, server_instance_id) do update
       set desired_state = 'banned', revision = ban_entries.revision + 1, sync_status = excluded.sync_status, attempts = 0,
           next_attempt_at = excluded.next_attempt_at, last_sync_error = null""").bindparams(
    bindparam("rows", type_=JSONB)
)

_ENTRY = "e.id, e.revision, e.desired_state, e.sync_status, e.applied_state, e.attempts, e.last_sync_job_id as job_id"

# Whoever locks entries of several servers does so server by server: many cases of one, then those of the next.
_OF_CASE = text(f"""/* ban_entries.of_case */
    select {_ENTRY}, e.org_ban_id as ban_id, e.server_instance_id as server_id
      from ban_entries e where e.org_id = :org and e.org_ban_id = :ban order by e.server_instance_id, e.id for update of e""")

_OF_JOB = text(f"""/* ban_entries.of_job */
    select {_ENTRY}, e.org_ban_id as ban_id, e.server_instance_id as server_id
      from ban_entries e
     where e.org_id = :org and e.server_instance_id = :server
       and (e.last_sync_job_id = :job or e.id = any(cast(:entries as uuid[]))) order by e.id for update of e""")

_UPDATE = text("""/* ban_entries.update */
    update ban_entries e
       set desired_state = coalesce(n.desired_state, e.desired_state), revision = e.revision + n.raised,
           sync_status = n.sync_status, applied_state = n.applied_state, attempts = n.attempts,
           next_attempt_at = cast(:now as timestamptz) + make_interval(secs => n.wait), last_sync_error = n.error,
           synced_at = case when n.sync_status = 'synced' then cast(:now as timestamptz) else e.synced_at end
      from jsonb_to_recordset(:rows) n(id uuid, desired_state text, raised int, sync_status text, applied_state text,
                                       attempts int, wait float, error text)
     where e.id = n.id""").bindparams(bindparam("rows", type_=JSONB))

# Nothing is given to a host that is away or to a game that is down: what they will be told is made anew when they are back.
# Looked for server by server: there may be hundreds of thousands of entries, and one that is due is enough.
_DUE = text("""/* ban_entries.due */
    select s.org_id, s.id as server_id
      from server_instances s join hosts h on h.id = s.host_id
      join lateral (select 1 from ban_entries e
                     where e.server_instance_id = s.id and e.sync_status in ('pending', 'failed') and e.next_attempt_at <= :now
                     limit 1) one on true
     where s.deleted_at is null and s.status = 'running' and h.status = 'online' and h.deleted_at is null
       and (cast(:servers as uuid[]) is null or s.id = any(cast(:servers as uuid[])))
       and not exists (select 1 from jobs j where j.org_id = s.org_id and j.dedupe_key = 'ban_sync:' || s.id
                          and j.status in ('held', 'queued', 'running'))
     order by 1, 2 limit :limit""")

# In one order: who gives jobs to several servers waits for none that waits for it.
_LOCK_SERVERS = text("""/* ban_entries.lock_servers */
    select pg_advisory_xact_lock(hashtextextended('ban_sync:' || x.id, 0))
      from (select id from unnest(cast(:servers as uuid[])) id order by id offset 0) x""")

# A game bans by an address only whom it does not know better.
_BY_ADDRESS = """not exists (select 1 from ban_identifiers d where d.org_ban_id = {}.org_ban_id and d.kind <> 'ip'
                                   and d.kind = any(cast(:ban_by as text[])))"""
# Another active case that holds an identity of this one on the same server. Of durable ones there is none.
_HELD = f"""ban_identifiers i
                       join ban_identifiers o on o.org_id = i.org_id and o.kind = i.kind and o.value = i.value and o.is_active
                       join ban_entries x on x.org_ban_id = o.org_ban_id and x.server_instance_id = e.server_instance_id
                      where i.org_ban_id = b.id and o.org_ban_id <> b.id and x.desired_state = 'banned'
                        and x.sync_status <> 'unsupported' and (i.kind <> 'ip' or {_BY_ADDRESS.format("o")})"""

# A game has one ban of an address, whoever shares it: it lasts as long as the longest of their cases.
_TAKE = text(f"""/* ban_entries.take */
    with due as materialized (
      select e.* from ban_entries e
       where e.server_instance_id = :server and e.org_id = :org and e.sync_status in ('pending', 'failed')
         and e.next_attempt_at <= :now
       order by e.next_attempt_at, e.id limit :limit for update of e skip locked)
    select e.id, e.org_ban_id as ban_id, e.revision, e.desired_state, e.applied_state, e.attempts, b.number, coalesce(b.player_name, '') as name,
           b.expires_at, coalesce(b.reason, '') as reason,
           nullif(greatest(coalesce(b.expires_at, 'infinity'),
                           (select max(coalesce(ob.expires_at, 'infinity')) from org_bans ob where ob.id in (
                              select o.org_ban_id from {_HELD} and i.kind = 'ip' and {_BY_ADDRESS.format("i")}))),
                  'infinity') as until,
           coalesce((select jsonb_agg(jsonb_build_array(i.kind, i.value))
                       from ban_identifiers i where i.org_ban_id = b.id), '[]') as identities,
           coalesce((select jsonb_agg(jsonb_build_array(i.kind, i.value)) from {_HELD} and e.desired_state = 'unbanned'),
                    '[]') as held_elsewhere
      from due e join org_bans b on b.id = e.org_ban_id order by e.id""")

# Where another case has told the game of an identity of this one, taking that back may have been left to this one.
_SHARED = text("""/* ban_entries.shared */
    select distinct x.server_instance_id from ban_identifiers i
      join ban_identifiers o on o.org_id = i.org_id and o.kind = i.kind and o.value = i.value and o.org_ban_id <> i.org_ban_id
      join ban_entries x on x.org_ban_id = o.org_ban_id
     where i.org_id = :org and i.org_ban_id = :ban and (x.applied_state is not null or x.last_sync_job_id is not null)""")

_BEGIN = text("""/* ban_entries.begin */
    update ban_entries set sync_status = 'syncing', last_sync_job_id = :job where id = any(cast(:entries as uuid[]))""")


@dataclass(frozen=True)
class Place:
    """A server as a place where bans may hold."""

    id: UUID
    name: str
    host_id: UUID
    status: str
    host_online: bool
    host_offline_since: datetime | None
    game_name: str
    capabilities: list[str]
    ban_by: list[str]

    @property
    def up(self) -> bool:
        """Can it be told now?"""
        return self.host_online and self.status == "running"


@dataclass(frozen=True)
class LockedEntry(Entry):
    """An entry whose row this transaction holds."""

    ban_id: UUID
    server_id: UUID


@dataclass(frozen=True)
class Due:
    """An entry that its server has to be told about; this transaction holds its row."""

    id: UUID
    ban_id: UUID
    revision: int
    desired_state: Wanted
    applied_state: Wanted | None
    attempts: int
    number: int
    name: str
    expires_at: datetime | None
    until: datetime | None
    """When the game's ban may end: it is that of others with the same address, too."""
    reason: str
    identities: list[list[str]]
    held_elsewhere: list[list[str]]


@dataclass(frozen=True)
class Update:
    """What an entry becomes. `wait`: seconds until it may be tried; `raised`: by how much its revision grows."""

    id: UUID
    sync_status: str
    applied_state: str | None
    attempts: int
    wait: float
    error: str | None
    desired_state: str | None = None
    raised: int = 0


async def places(session: AsyncSession, org_id: UUID, server_id: UUID | None = None) -> list[Place]:
    """The servers of an org by name, or one of them."""
    return every(Place, await session.execute(_OF_ORG, {"org": org_id, "server": server_id}))


async def place(session: AsyncSession, org_id: UUID, server_id: UUID) -> Place | None:
    return one(Place, await session.execute(_PLACE, {"org": org_id, "server": server_id}))


async def wish(session: AsyncSession, org_id: UUID, rows: Sequence[tuple[UUID, UUID, str]], now: datetime) -> None:
    """(case, server, status): that a server shall ban, anew where it shall already."""
    made = [{"ban": str(ban), "server": str(server), "status": status} for ban, server, status in rows]
    await session.execute(_WISH, {"org": org_id, "rows": made, "now": now})


async def of_case(session: AsyncSession, org_id: UUID, ban_id: UUID) -> list[LockedEntry]:
    return every(LockedEntry, await session.execute(_OF_CASE, {"org": org_id, "ban": ban_id}))


async def of_job(
    session: AsyncSession, org_id: UUID, server_id: UUID, job_id: UUID, entries: Collection[UUID]
) -> list[LockedEntry]:
    """The entries that a job is at, and those of its receipts; an id of another server is as good as none."""
    values = {"org": org_id, "server": server_id, "job": job_id, "entries": list(entries)}
    return every(LockedEntry, await session.execute(_OF_JOB, values))


async def lock_servers(session: AsyncSession, servers: Collection[UUID]) -> None:
    """Of those who would give one of these servers a job, one goes on at a time, until it commits."""
    await session.execute(_LOCK_SERVERS, {"servers": list(servers)})


async def update(session: AsyncSession, updates: Sequence[Update], now: datetime) -> None:
    """Writes what locked entries become."""
    rows = [{**asdict(row), "id": str(row.id)} for row in updates]
    if rows:
        await session.execute(_UPDATE, {"rows": rows, "now": now})


async def due(
    session: AsyncSession, now: datetime, servers: Collection[UUID] | None = None, limit: int = 500
) -> list[tuple[UUID, UUID]]:
    """(org, server) of the servers that can be told something now and are not being told already."""
    values = {"now": now, "servers": None if servers is None else list(servers), "limit": limit}
    return [(row.org_id, row.server_id) for row in await session.execute(_DUE, values)]


async def take(session: AsyncSession, place: Place, org_id: UUID, now: datetime, limit: int) -> list[Due]:
    """Entries of a server that are due, locked; what somebody else holds is left out."""
    values = {"org": org_id, "server": place.id, "ban_by": place.ban_by, "now": now, "limit": limit}
    return every(Due, await session.execute(_TAKE, values))


async def shared(session: AsyncSession, org_id: UUID, ban_id: UUID) -> set[UUID]:
    """The servers that have been told of an identity of this case for the sake of another one, active or over."""
    return set(await session.scalars(_SHARED, {"org": org_id, "ban": ban_id}))


async def begin(session: AsyncSession, entries: Collection[UUID], job_id: UUID) -> None:
    await session.execute(_BEGIN, {"entries": list(entries), "job": job_id})
