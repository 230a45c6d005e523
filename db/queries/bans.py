"""Cases as people see them: one with its receipts and its history, lists, suggestions, and one's own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import EVERYWHERE, Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_HELD = """(select count(*) from ban_entries e join server_instances s on s.id = e.server_instance_id
             where e.org_ban_id = b.id and s.deleted_at is null"""
_CASES = f"""
    select b.id, b.org_id, b.number, b.player_id, coalesce(b.player_name, '') as name, coalesce(b.reason, '') as reason,
           b.applies_to_all as everywhere, b.status, b.banned_at, b.expires_at, b.ended_at, b.revoke_reason,
           coalesce(a.display_name, a.username) as author, coalesce(l.display_name, l.username) as lifted_by,
           coalesce((select jsonb_agg(jsonb_build_array(i.kind, i.value) order by i.kind, i.value)
                       from ban_identifiers i where i.org_ban_id = b.id), '[]') as identities,
           {_HELD} and {covered("s.id")}) as servers,
           {_HELD} and {covered("s.id")} and e.sync_status = 'synced') as applied
      from org_bans b left join users a on a.id = b.created_by_id left join users l on l.id = b.revoked_by_id"""

_ONE = text(f"""/* bans.one */ {_CASES}
    where b.org_id = :org and (b.id = cast(:id as uuid) or b.number = cast(:number as bigint))""")

_LIST = text(f"""/* bans.cases */ {_CASES}
    where b.org_id = :org and (cast(:status as text) is null or b.status = :status)
      and (cast(:player as uuid) is null or b.player_id = cast(:player as uuid))
      and (cast(:server as uuid) is null or exists (
             select 1 from ban_entries e where e.org_ban_id = b.id and e.server_instance_id = cast(:server as uuid)))
      and (exists {_HELD.replace("count(*)", "1")} and {covered("s.id")})
           or not exists {_HELD.replace("count(*)", "1")}))
      and (cast(:words as text) is null or b.player_name ilike '%' || :words || '%' or b.number::text like :words || '%')
    order by b.number desc limit :limit offset :offset""")

# Of somebody who was never seen there is no player: the ids decide, and an address only where there is nothing else.
_PAST = text("""/* bans.past */
    select b.number, b.status, coalesce(b.reason, '') as reason, b.banned_at, b.ended_at from org_bans b
     where b.org_id = :org and b.status <> 'active'
       and (b.player_id = cast(:player as uuid) or exists (
              select 1 from ban_identifiers i join unnest(cast(:kinds as text[]), cast(:values as text[])) w(kind, value)
                         on w.kind = i.kind and w.value = i.value
               where i.org_id = :org and i.org_ban_id = b.id and (i.kind <> 'ip' or 'ip' = all(cast(:kinds as text[])) and not exists (
                       select 1 from ban_identifiers d where d.org_ban_id = b.id and d.kind <> 'ip'))))
     order by b.number desc limit 10""")

_RECEIPTS = text("""/* bans.receipts */
    select s.id as server_id, s.name as server_name, e.desired_state, e.sync_status, e.applied_state, e.attempts,
           e.next_attempt_at, e.synced_at, e.last_sync_error as error, s.status as server_status,
           h.status = 'online' as host_online, coalesce(h.offline_since, h.last_heartbeat_at) as host_offline_since,
           g.name as game_name
      from ban_entries e join server_instances s on s.id = e.server_instance_id join hosts h on h.id = s.host_id
      join game_types g on g.id = s.game_type_id
     where e.org_id = :org and e.org_ban_id = :ban and s.deleted_at is null order by lower(s.name), s.id""")

_HISTORY = text("""/* bans.history */
    select e.type, e.details, e.created_at as at, coalesce(u.display_name, u.username) as who
      from ban_events e left join users u on u.id = e.actor_id
     where e.org_id = :org and e.org_ban_id = :ban order by e.created_at desc, e.id desc limit :limit""")

# Own bans: of the linked players, and of the ids that are theirs. In every org where the reader asks in a direct message.
_MINE = text("""/* bans.mine */
    with mine as (
      select p.id, p.org_id from players p where p.user_id = :user and (cast(:org as uuid) is null or p.org_id = :org))
    select b.number, b.status, coalesce(b.player_name, '') as name, coalesce(b.reason, '') as reason, b.banned_at,
           b.expires_at, b.ended_at, b.applies_to_all as everywhere, o.name as org_name,
           array(select s.name from ban_entries e join server_instances s on s.id = e.server_instance_id
                  where e.org_ban_id = b.id and s.deleted_at is null and e.sync_status <> 'unsupported'
                  order by lower(s.name)) as servers
      from org_bans b join orgs o on o.id = b.org_id
     where o.status = 'active' and b.id in (
             select b.id from org_bans b join mine on b.player_id = mine.id
              union
             select i.org_ban_id from mine join player_identities pi on pi.player_id = mine.id
               join ban_identifiers i on i.org_id = pi.org_id and i.kind = pi.kind and i.value = pi.value)
     order by b.status = 'active' desc, b.banned_at desc limit :limit offset :offset""")


@dataclass(frozen=True)
class Case:
    """A case with who made and who ended it, and on how many of its servers it holds."""

    id: UUID
    org_id: UUID
    number: int
    player_id: UUID | None
    name: str
    reason: str
    everywhere: bool
    status: str
    banned_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    revoke_reason: str | None
    author: str | None
    lifted_by: str | None
    identities: list[list[str]]
    servers: int
    applied: int


@dataclass(frozen=True)
class PastCase:
    """An earlier case of the same person."""

    number: int
    status: str
    reason: str
    banned_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Receipt:
    """How one server stands to a case."""

    server_id: UUID
    server_name: str
    desired_state: str
    sync_status: str
    applied_state: str | None
    attempts: int
    next_attempt_at: datetime
    synced_at: datetime | None
    error: str | None
    server_status: str
    host_online: bool
    host_offline_since: datetime | None
    game_name: str


@dataclass(frozen=True)
class Event:
    """A line of a case's history."""

    type: str
    details: dict[str, Any]
    at: datetime
    who: str | None


@dataclass(frozen=True)
class OwnBan:
    """A ban as the person banned may see it."""

    number: int
    status: str
    name: str
    reason: str
    banned_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    everywhere: bool
    org_name: str
    servers: list[str]


async def case(
    session: AsyncSession, org_id: UUID, *, ban_id: UUID | str | None = None, number: int | None = None
) -> Case | None:
    """One case, by id or by its number in the org, with all of its servers counted."""
    values = {"org": org_id, "id": str(ban_id) if ban_id else None, "number": number, **scope_values(EVERYWHERE)}
    return one(Case, await session.execute(_ONE, values))


async def cases(
    session: AsyncSession,
    org_id: UUID,
    *,
    scope: Scope,
    status: str | None = None,
    server_id: UUID | None = None,
    player_id: UUID | None = None,
    words: str | None = None,
    limit: int = 11,
    offset: int = 0,
) -> list[Case]:
    """Cases on servers in a scope, and those that are on none, newest first; ask for one more than you show to know
    whether there is another page."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if words else None
    values = {"org": org_id, "status": status, "server": server_id, "player": player_id, "words": like}
    values |= {"limit": limit, "offset": offset, **scope_values(scope)}
    return every(Case, await session.execute(_LIST, values))


async def past(
    session: AsyncSession, org_id: UUID, player_id: UUID | None, identities: Collection[tuple[str, str]]
) -> list[PastCase]:
    """Cases about a person that are over, newest first, at most ten."""
    kinds, values = [kind for kind, _ in identities], [value for _, value in identities]
    found = await session.execute(_PAST, {"org": org_id, "player": player_id, "kinds": kinds, "values": values})
    return every(PastCase, found)


async def receipts(session: AsyncSession, org_id: UUID, ban_id: UUID) -> list[Receipt]:
    """How every server of a case stands to it, by name."""
    return every(Receipt, await session.execute(_RECEIPTS, {"org": org_id, "ban": ban_id}))


async def history(session: AsyncSession, org_id: UUID, ban_id: UUID, limit: int = 15) -> list[Event]:
    """The newest lines of a case's history."""
    return every(Event, await session.execute(_HISTORY, {"org": org_id, "ban": ban_id, "limit": limit}))


async def mine(
    session: AsyncSession, user_id: UUID | None, org_id: UUID | None, *, limit: int, offset: int
) -> list[OwnBan]:
    """The bans of a user's linked players, active ones first; `org_id` None: in every org."""
    values = {"user": user_id, "org": org_id, "limit": limit, "offset": offset}
    return every(OwnBan, await session.execute(_MINE, values))
