"""What heartbeats change: hosts, their servers, and the cards that show them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every, one

_HOST = text("""/* heartbeats.host */
    with was as (select id, status, games, offline_since from hosts where id = :host and deleted_at is null for no key update)
    update hosts h set status = 'online', last_heartbeat_at = :now, offline_since = null, agent_version = :version,
           games = case when was.games = :games then h.games else :games end, last_metrics = :metrics,
           ip_address = coalesce(cast(cast(:ip as text) as inet), h.ip_address), updated_at = :now
      from was, orgs o where h.id = was.id and o.id = h.org_id
    returning was.status as old_status, was.offline_since, was.games <> :games as other_games, h.servers_revision,
              h.key_rotation_requested_at is not null as rotating, o.health_interval_sec as interval_sec""").bindparams(
    bindparam("games", type_=JSONB), bindparam("metrics", type_=JSONB)
)

# Of the ids that a host reports only its own servers are found; an id of another host or guild is as good as none.
_SERVERS = text("""/* heartbeats.servers */
    select id, name, status, observed, players_online from server_instances
     where host_id = :host and org_id = :org and deleted_at is null and id = any(cast(:ids as uuid[])) order by id for no key update""")

_UPDATE = text("""/* heartbeats.update_servers */
    update server_instances s
       set status = r.status, observed = r.observed, players_online = r.players, last_seen_at = :now,
           status_changed_at = case when s.status <> r.status then cast(:now as timestamptz) else s.status_changed_at end
      from jsonb_to_recordset(:rows) r(id uuid, status text, observed jsonb, players int)
     where s.id = r.id""").bindparams(bindparam("rows", type_=JSONB))

_STATUS = text("""/* heartbeats.server_status */
    with was as (select id, status from server_instances where id = :server and org_id = :org for no key update)
    update server_instances s set status = :status, status_changed_at = :now
      from was where s.id = was.id and was.status <> :status returning was.status""")

_OFFLINE = text("""/* hosts.offline */
    with silent as (
      select h.id from hosts h join orgs o on o.id = h.org_id
       where h.status = 'online' and h.deleted_at is null
         and h.last_heartbeat_at < cast(:now as timestamptz) - make_interval(secs => o.host_offline_after_sec)
       order by h.id for update of h skip locked)
    update hosts h set status = 'offline', offline_since = h.last_heartbeat_at, updated_at = :now
      from silent where h.id = silent.id
    returning h.id, h.org_id, h.name, h.offline_since,
              array(select s.id from server_instances s where s.host_id = h.id and s.deleted_at is null) as servers""")

_CARDS = text("""/* heartbeats.server_cards */
    select id from bot_messages where org_id = :org and disabled_reason is null
       and (kind = 'server' and subject_id = any(cast(cast(:servers as uuid[]) as text[]))
            or kind = 'panel' and (subject_id = 'all'
                 or subject_id = any(array(select 'server:' || s from unnest(cast(:servers as uuid[])) s))
                 or subject_id = any(array(select 'tag:' || t.tag from server_tags t
                                            where t.server_instance_id = any(cast(:servers as uuid[]))))))
     order by id""")


@dataclass(frozen=True)
class Beat:
    """A host after its heartbeat."""

    old_status: str
    offline_since: datetime | None
    other_games: bool
    servers_revision: int
    rotating: bool
    interval_sec: int


@dataclass(frozen=True)
class Observed:
    """A server as it was known before this report."""

    id: UUID
    name: str
    status: str
    observed: dict[str, Any]
    players_online: int | None


@dataclass(frozen=True)
class Silent:
    """A host that has just gone offline."""

    id: UUID
    org_id: UUID
    name: str
    offline_since: datetime
    servers: Sequence[UUID]


async def beat(
    session: AsyncSession,
    host_id: UUID,
    *,
    version: str,
    games: Sequence[dict[str, Any]],
    metrics: dict[str, Any],
    ip: str | None,
    now: datetime,
) -> Beat | None:
    """Notes that a host is there. None: it was removed meanwhile."""
    values = {"host": host_id, "version": version, "games": list(games), "metrics": metrics, "ip": ip, "now": now}
    return one(Beat, await session.execute(_HOST, values))


async def servers(session: AsyncSession, org_id: UUID, host_id: UUID, ids: Collection[UUID]) -> dict[UUID, Observed]:
    """Those of the ids that are servers of this host, locked."""
    values = {"org": org_id, "host": host_id, "ids": list(ids)}
    return {row.id: row for row in every(Observed, await session.execute(_SERVERS, values))}


async def update_servers(session: AsyncSession, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    await session.execute(_UPDATE, {"rows": list(rows), "now": now})


async def set_status(session: AsyncSession, org_id: UUID, server_id: UUID, status: str, now: datetime) -> str | None:
    """Sets what a job has brought about; the status before, None where it was that already."""
    values = {"org": org_id, "server": server_id, "status": status, "now": now}
    return (await session.execute(_STATUS, values)).scalar_one_or_none()


async def offline(session: AsyncSession, now: datetime) -> list[Silent]:
    """Marks the hosts that have been silent for longer than their guild's patience."""
    return every(Silent, await session.execute(_OFFLINE, {"now": now}))


async def server_cards(session: AsyncSession, org_id: UUID, servers: Collection[UUID]) -> list[UUID]:
    """The bot's messages that show these servers."""
    return list((await session.execute(_CARDS, {"org": org_id, "servers": list(servers)})).scalars())
