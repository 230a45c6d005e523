"""Statements that change servers or ask about their work."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_LIVE = text("""/* servers.live_power_job */
    select number from jobs where org_id = :org and server_instance_id = :server and is_exclusive
       and status in ('held', 'queued', 'running') order by (status = 'running') desc, number limit 1""")


async def live_power_job(session: AsyncSession, org_id: UUID, server_id: UUID) -> int | None:
    """The number of the exclusive job that runs or waits on a server."""
    return await session.scalar(_LIVE, {"org": org_id, "server": server_id})
