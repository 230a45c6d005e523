"""Statements that change servers or ask about their work."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LIVE = text("""/* servers.live_power_job */
    select number from jobs where org_id = :org and server_instance_id = :server and is_exclusive
       and status in ('held', 'queued', 'running') order by (status = 'running') desc, number limit 1""")

# Not as strictly as whoever changes or removes one of them: heartbeats go on meanwhile. Servers first, then their hosts.
_LOCK = text("""/* servers.lock */
    select id from server_instances where org_id = :org and id = any(cast(:servers as uuid[])) order by id for key share""")
_LOCK_HOSTS = text("""/* servers.lock_hosts */
    select h.id from hosts h
     where h.org_id = :org and h.id in (select s.host_id from server_instances s
                                         where s.org_id = :org and s.id = any(cast(:servers as uuid[])))
     order by h.id for key share""")


async def lock_for_jobs(session: AsyncSession, org_id: UUID, servers: Collection[UUID]) -> None:
    """Keeps others from changing what is done to these servers, or their hosts, while jobs for all of them are written.

    Comes before the first job: others who hold the row of a server or a host wait for the number of a job."""
    for statement in (_LOCK, _LOCK_HOSTS):
        await session.execute(statement, {"org": org_id, "servers": list(servers)})


async def live_power_job(session: AsyncSession, org_id: UUID, server_id: UUID) -> int | None:
    """The number of the exclusive job that runs or waits on a server."""
    return await session.scalar(_LIVE, {"org": org_id, "server": server_id})
