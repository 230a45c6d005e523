"""Holds: a server that somebody has asked to be left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

# Whoever holds a server has its row; who asks waits for that, and sees what was committed.
_SETTLED = text("""/* holds.settled */
    select 1 from server_instances where org_id = :org and id = :server for key share""")

_ADD = text("""/* holds.add */
    insert into server_holds (server_instance_id, org_id, reason, created_by_id, created_at, expires_at)
    values (:server, :org, :reason, :author, :now, :until) on conflict (server_instance_id) do nothing
    returning server_instance_id""")

_GONE = """
      delete from server_holds x
       where {which} returning x.server_instance_id, x.org_id, x.reason, x.created_by_id, x.created_at, x.expires_at)
    select g.server_instance_id as server_id, g.org_id, o.discord_guild_id as guild_id, s.name as server_name,
           s.deleted_at is not null as removed, g.reason, g.created_by_id as author_id,
           coalesce(u.display_name, u.username) as "by", g.created_at as since, g.expires_at as until
      from gone g join orgs o on o.id = g.org_id join server_instances s on s.id = g.server_instance_id
      left join users u on u.id = g.created_by_id"""

_RELEASE = text(f"""/* holds.release */
    with gone as ({_GONE.format(which="x.org_id = :org and x.server_instance_id = :server")}""")

_OVER = """(x.expires_at <= :now or exists (
              select 1 from server_instances r where r.id = x.server_instance_id and r.deleted_at is not null))"""
_EXPIRED = text(f"""/* holds.expired */
    select x.org_id, x.server_instance_id from server_holds x
     where {_OVER} order by x.expires_at limit 200""")

_EXPIRE = text(f"""/* holds.expire */
    with gone as ({_GONE.format(which="x.org_id = :org and x.server_instance_id = :server and " + _OVER)}""")

_CHANGED = text("""/* holds.changed */
    with server as (
      update server_instances set config_revision = config_revision + 1, updated_at = :now
       where org_id = :org and id = :server returning host_id)
    update hosts set servers_revision = servers_revision + 1, updated_at = :now
     where org_id = :org and id in (select host_id from server)""")


@dataclass(frozen=True)
class Hold:
    """A hold that has ended with this transaction."""

    server_id: UUID
    org_id: UUID
    guild_id: int
    server_name: str
    removed: bool
    """Its server was."""
    reason: str
    author_id: UUID | None
    by: str | None
    since: datetime
    until: datetime | None


async def settled(session: AsyncSession, org_id: UUID, server_id: UUID) -> None:
    """Waits for whoever is just holding or releasing the server."""
    await session.execute(_SETTLED, {"org": org_id, "server": server_id})


async def add(
    session: AsyncSession,
    org_id: UUID,
    server_id: UUID,
    *,
    reason: str,
    author: UUID | None,
    until: datetime | None,
    now: datetime,
) -> bool:
    """False: it is held already, or the last hold was not swept up yet."""
    values = {"org": org_id, "server": server_id, "reason": reason, "author": author, "until": until, "now": now}
    return await session.scalar(_ADD, values) is not None


async def release(session: AsyncSession, org_id: UUID, server_id: UUID) -> Hold | None:
    """None: it was not held."""
    return one(Hold, await session.execute(_RELEASE, {"org": org_id, "server": server_id}))


async def expired(session: AsyncSession, now: datetime) -> Sequence[tuple[UUID, UUID]]:
    """Org and server of the holds whose time is over, or whose server was removed."""
    return [(row[0], row[1]) for row in await session.execute(_EXPIRED, {"now": now})]


async def expire(session: AsyncSession, org_id: UUID, server_id: UUID, now: datetime) -> Hold | None:
    """Takes a hold away that `expired` names; None: it is not over, or somebody was faster."""
    return one(Hold, await session.execute(_EXPIRE, {"org": org_id, "server": server_id, "now": now}))


async def changed(session: AsyncSession, org_id: UUID, server_id: UUID, now: datetime) -> None:
    """Lets the host's agent know with its next heartbeat."""
    await session.execute(_CHANGED, {"org": org_id, "server": server_id, "now": now})
