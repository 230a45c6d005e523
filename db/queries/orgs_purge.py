"""The end of an org whose guild has removed the bot: everything goes but its audit rows."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_DUE = text("""/* orgs_purge.due */
    select id, discord_guild_id as guild_id, name from orgs
     where status = 'left' and left_at < :before order by left_at limit :limit""")

_LOCK = text("""/* orgs_purge.lock */
    select 1 from orgs where id = :org and status = 'left' and left_at < :before for update""")

_DELETE = text("/* orgs_purge.delete */ delete from orgs where id = :org")


@dataclass(frozen=True)
class Gone:
    """An org that nobody has come back to."""

    id: UUID
    guild_id: int
    name: str


async def due(session: AsyncSession, before: datetime, limit: int) -> list[Gone]:
    return every(Gone, await session.execute(_DUE, {"before": before, "limit": limit}))


async def lock(session: AsyncSession, org_id: UUID, before: datetime) -> bool:
    """Is it still gone? The guild may take the bot back at any moment; from here on that waits."""
    return await session.scalar(_LOCK, {"org": org_id, "before": before}) is not None


async def delete_of_stream(session: AsyncSession, partition: str, org_id: UUID) -> int:
    """Deletes an org's rows of one partition. `partition` is a name from `partitions.existing`."""
    statement = text(f"/* orgs_purge.stream */ delete from {partition} where org_id = :org returning 1")
    return len((await session.execute(statement, {"org": org_id})).all())


async def delete(session: AsyncSession, org_id: UUID) -> None:
    """Deletes an org with everything that refers to it; its audit rows stay without it."""
    await session.execute(_DELETE, {"org": org_id})
