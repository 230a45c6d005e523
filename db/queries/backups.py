"""Backups of saved games: begun with their job, ended with it, given up when there are enough newer ones."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_BEGIN = text("""/* backups.begin */
    insert into backups (id, org_id, server_instance_id, name, job_id, created_by_id, created_at)
    values (:id, :org, :server, :name, :job, cast(:author as uuid), :now)""")
_COMPLETE = text("""/* backups.complete */
    update backups set status = 'complete', storage_ref = id::text, size_bytes = :size, checksum = :sha256,
           metadata = :facts, completed_at = :now
     where org_id = :org and job_id = :job and status in ('running', 'failed')
    returning server_instance_id""").bindparams(bindparam("facts", type_=JSONB))
# Its host may have packed it all the same, so it is named to be dropped.
_FAIL = text("""/* backups.fail */
    update backups set status = 'failed', storage_ref = id::text, metadata = :facts, completed_at = :now
     where org_id = :org and job_id = :job and status = 'running'""").bindparams(bindparam("facts", type_=JSONB))
_SUPERSEDE = text("""/* backups.supersede */
    update backups set status = 'deleted'
     where org_id = :org and server_instance_id = :server and status = 'complete' and not is_locked
       and id not in (
         select b.id from backups b
          where b.server_instance_id = :server and b.status = 'complete' and not b.is_locked
          order by b.created_at desc, b.id
          limit (select s.backup_keep from server_instances s where s.id = :server))""")
_GIVEN_UP = text("""/* backups.given_up */
    select id from backups
     where org_id = :org and server_instance_id = :server and status in ('deleted', 'failed')
     order by created_at limit :limit""")
_DROPPED = text("""/* backups.dropped */
    delete from backups
     where org_id = :org and server_instance_id = :server and id = any(cast(:ids as uuid[]))""")

_LIST = text("""/* backups.cards */
    select b.id, b.name, b.status, b.size_bytes, b.checksum, b.is_locked, b.metadata as facts, b.created_at,
           b.completed_at, j.number as job, coalesce(u.display_name, u.username) as author
      from backups b
      left join all_jobs j on j.id = b.job_id
      left join users u on u.id = b.created_by_id
     where b.org_id = :org and b.server_instance_id = :server and b.status <> 'deleted'
     order by b.created_at desc, b.id limit :limit offset :offset""")
_KEEP = text("/* backups.keep */ select backup_keep from server_instances where org_id = :org and id = :server")


@dataclass(frozen=True)
class BackupCard:
    """A backup as people see it."""

    id: UUID
    name: str
    status: str
    size_bytes: int | None
    checksum: str | None
    is_locked: bool
    facts: dict[str, Any]
    created_at: datetime
    completed_at: datetime | None
    job: int | None
    author: str | None


async def begin(session: AsyncSession, values: dict[str, Any]) -> None:
    """`values`: the names in `_BEGIN`."""
    await session.execute(_BEGIN, values)


async def complete(session: AsyncSession, values: dict[str, Any]) -> UUID | None:
    """The server of the backup that a job has made. `values`: the names in `_COMPLETE`."""
    return await session.scalar(_COMPLETE, values)


async def fail(session: AsyncSession, values: dict[str, Any]) -> None:
    """`values`: the names in `_FAIL`."""
    await session.execute(_FAIL, values)


async def supersede(session: AsyncSession, org_id: UUID, server_id: UUID) -> None:
    """Gives up those for which there are enough newer ones; their files go with the next backup."""
    await session.execute(_SUPERSEDE, {"org": org_id, "server": server_id})


async def given_up(session: AsyncSession, org_id: UUID, server_id: UUID, limit: int) -> list[UUID]:
    """Those of which the host may still have a file; the oldest first."""
    return list(await session.scalars(_GIVEN_UP, {"org": org_id, "server": server_id, "limit": limit}))


async def dropped(session: AsyncSession, org_id: UUID, server_id: UUID, ids: Collection[UUID]) -> None:
    """The host has no file of these any more."""
    await session.execute(_DROPPED, {"org": org_id, "server": server_id, "ids": list(ids)})


async def cards(
    session: AsyncSession, org_id: UUID, server_id: UUID, *, limit: int = 11, offset: int = 0
) -> list[BackupCard]:
    """Backups of a server, newest first; ask for one more than you show."""
    values = {"org": org_id, "server": server_id, "limit": limit, "offset": offset}
    return every(BackupCard, await session.execute(_LIST, values))


async def keep(session: AsyncSession, org_id: UUID, server_id: UUID) -> int:
    """How many unlocked ones are kept of a server."""
    return (await session.execute(_KEEP, {"org": org_id, "server": server_id})).scalar_one()
