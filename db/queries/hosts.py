"""Hosts as people see them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from db.queries.rest import UNDER_WAY
from db.rows import every, one

_CARDS = f"""
    select h.id, h.name, h.hostname, h.status, h.last_heartbeat_at, h.offline_since, h.agent_version, h.games, h.resources,
           h.last_metrics, host(h.ip_address) as ip_address, h.created_at,
           h.key_rotation_requested_at is not null as rotating, k.key_prefix, k.last_used_at as key_used_at,
           array(select s.name from server_instances s where s.host_id = h.id and s.deleted_at is null
                  order by lower(s.name), s.id) as servers,
           array(select s.id from server_instances s where s.host_id = h.id and s.deleted_at is null
                  order by lower(s.name), s.id) as server_ids,
           (select count(*) from jobs j where j.host_id = h.id and j.status = 'queued') as waiting,
           m.reason as maintenance, m.ends_at as maintenance_until
      from hosts h
      left join lateral (
        select w.reason, w.ends_at from maintenance_windows w
         where w.org_id = h.org_id and {UNDER_WAY}
           and (w.host_id = h.id or num_nonnulls(w.host_id, w.server_instance_id, w.tag) = 0)
         order by w.ends_at desc limit 1) m on true
      left join lateral (select * from api_keys k where k.host_id = h.id and k.kind = 'agent' and k.revoked_at is null
                            and k.confirmed_at is not null and (k.expires_at is null or k.expires_at > now())
                          order by k.expires_at is null desc, k.created_at desc limit 1) k on true
     where h.org_id = :org and h.deleted_at is null"""

_CARD = text(f"""/* hosts.card */ {_CARDS}
    and (h.id = cast(:id as uuid) or cast(:name as text) is not null and lower(h.name) = lower(:name))""")
_LIST = text(f"""/* hosts.cards */ {_CARDS}
    and (cast(:words as text) is null or h.name ilike '%' || :words || '%' or h.hostname ilike '%' || :words || '%')
    order by lower(h.name), h.id limit :limit offset :offset""")

_RENAME = text("/* hosts.rename */ update hosts set name = :name, updated_at = :now where org_id = :org and id = :id")

# What of its servers is changed does not keep others from giving it jobs, nor it from taking them.
_LOCK_SERVERS_OF = text(
    "/* hosts.lock_servers_of */ select 1 from hosts where org_id = :org and id = :id and deleted_at is null for no key update"
)
_LOCK = text("/* hosts.lock */ select 1 from hosts where org_id = :org and id = :id and deleted_at is null for update")

_ROTATE = text("""/* hosts.request_rotation */
    update hosts set key_rotation_requested_at = :now, updated_at = :now where org_id = :org and id = :id""")

_REVOKED = text("""/* hosts.revoked */
    update hosts set key_rotation_requested_at = null, updated_at = :now where org_id = :org and id = :id""")

_DROP_TOKENS = text("""/* hosts.drop_tokens */
    delete from pairing_tokens where org_id = :org and host_id = :id and used_at is null""")

_REMOVE = text("""/* hosts.remove */
    update hosts set deleted_at = :now, updated_at = :now, status = 'offline',
           offline_since = coalesce(offline_since, last_heartbeat_at)
     where org_id = :org and id = :id""")

_LIVE_JOBS = text("""/* hosts.live_jobs */
    select number from jobs where org_id = :org and host_id = :id and status in ('held', 'queued', 'running') order by number""")


@dataclass(frozen=True)
class HostCard:
    """A host with its agent's key and what hangs on it."""

    id: UUID
    name: str
    hostname: str | None
    status: str
    last_heartbeat_at: datetime | None
    offline_since: datetime | None
    agent_version: str | None
    games: list[dict[str, Any]]
    resources: dict[str, Any]
    last_metrics: dict[str, Any]
    ip_address: str | None
    created_at: datetime
    rotating: bool
    """A new key was asked for and its agent has not used it yet."""
    key_prefix: str | None
    """The visible part of its key; None: revoked, or never paired."""
    key_used_at: datetime | None
    servers: list[str]
    waiting: int
    """Jobs that wait for it."""
    server_ids: list[UUID] = field(default_factory=list[UUID])
    """In the order of `servers`."""
    maintenance: str | None = None
    """Its reason, while it or everything is in maintenance."""
    maintenance_until: datetime | None = None

    @property
    def online(self) -> bool:
        return self.status == "online"

    @property
    def silent_since(self) -> datetime | None:
        """Since when it is offline; None while it is online or was never there."""
        return None if self.online else self.offline_since or self.last_heartbeat_at


async def card(
    session: AsyncSession, org_id: UUID, *, host_id: UUID | None = None, name: str | None = None
) -> HostCard | None:
    """One host, by id or by its exact name (case does not count)."""
    values = {"org": org_id, "id": host_id, "name": name, "now": clock.now()}
    return one(HostCard, await session.execute(_CARD, values))


async def cards(
    session: AsyncSession, org_id: UUID, *, words: str | None = None, limit: int = 11, offset: int = 0
) -> list[HostCard]:
    """Hosts by name; ask for one more than you show to know whether there is another page."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if words else None
    values = {"org": org_id, "words": like, "limit": limit, "offset": offset, "now": clock.now()}
    return every(HostCard, await session.execute(_LIST, values))


async def lock(session: AsyncSession, org_id: UUID, host_id: UUID) -> bool:
    return await session.scalar(_LOCK, {"org": org_id, "id": host_id}) is not None


async def lock_servers_of(session: AsyncSession, org_id: UUID, host_id: UUID) -> None:
    """Keeps others from adding or changing servers of this host; jobs for it are written and taken meanwhile."""
    await session.execute(_LOCK_SERVERS_OF, {"org": org_id, "id": host_id})


async def rename(session: AsyncSession, org_id: UUID, host_id: UUID, name: str, now: datetime) -> None:
    """Two hosts of an org cannot have the same name, whatever its case: that violates `uq_hosts_org_name`."""
    await session.execute(_RENAME, {"org": org_id, "id": host_id, "name": name, "now": now})


async def request_rotation(session: AsyncSession, org_id: UUID, host_id: UUID, now: datetime) -> None:
    await session.execute(_ROTATE, {"org": org_id, "id": host_id, "now": now})


async def revoked(session: AsyncSession, org_id: UUID, host_id: UUID, now: datetime) -> None:
    """Its keys are gone: nothing is left to rotate, and no open token lets it in again."""
    await session.execute(_REVOKED, {"org": org_id, "id": host_id, "now": now})
    await session.execute(_DROP_TOKENS, {"org": org_id, "id": host_id})


async def remove(session: AsyncSession, org_id: UUID, host_id: UUID, now: datetime) -> None:
    """Its row stays, because its history does."""
    await session.execute(_REMOVE, {"org": org_id, "id": host_id, "now": now})


async def live_jobs(session: AsyncSession, org_id: UUID, host_id: UUID) -> list[int]:
    """Numbers of the jobs that wait or run there."""
    return list((await session.execute(_LIVE_JOBS, {"org": org_id, "id": host_id})).scalars())
