"""Batches as cards and lists show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_BATCH = """
    select b.id, b.org_id, b.number, b.action, b.targets, b.payload, b.status, b.total_count, b.max_parallel,
           b.stop_on_failure, b.created_at, b.completed_at, b.stopped_at,
           coalesce(u.display_name, u.username) as author, coalesce(x.display_name, x.username) as stopped_by
      from job_batches b left join users u on u.id = b.created_by_id left join users x on x.id = b.stopped_by_id
     where b.org_id = :org"""
_CARD = text(f"""/* batches.card */ {_BATCH} and (b.id = cast(:id as uuid) or b.number = cast(:number as bigint))""")
_LIST = text(f"""/* batches.cards */ {_BATCH}
    and (not :live or b.status = 'running')
    and (cast(:words as text) is null or 'w-' || b.number || ' ' || b.action || ' ' || (b.targets ->> 'tag') ilike '%' || :words || '%')
    and exists (select 1 from all_jobs j where j.batch_id = b.id and {covered("j.server_instance_id")})
    order by b.created_at desc, b.number desc limit :limit""")

_JOBS = text("""/* batches.jobs */
    select j.number, j.status, j.server_instance_id as server_id, s.name as server_name, h.name as host_name,
           h.status is not distinct from 'online' as host_online, r.error_message as error,
           r.started_at is not null as began
      from all_jobs j left join server_instances s on s.id = j.server_instance_id left join hosts h on h.id = j.host_id
           left join lateral (select r.* from all_job_runs r where r.job_id = j.id order by r.attempt desc limit 1) r on true
     where j.org_id = :org and j.batch_id = :id order by j.number""")


@dataclass(frozen=True)
class BatchJob:
    """One server of a batch, and how its job stands."""

    number: int
    status: str
    server_id: UUID | None
    server_name: str | None
    """None: the server is gone for good."""
    host_name: str | None
    host_online: bool
    error: str | None
    began: bool = False
    """Its host has done something, or tried."""


@dataclass(frozen=True)
class BatchCard:
    """A batch with all of its jobs, in their order."""

    id: UUID
    org_id: UUID
    number: int
    action: str
    targets: dict[str, Any]
    payload: dict[str, Any]
    status: str
    total_count: int
    max_parallel: int
    stop_on_failure: bool
    created_at: datetime
    completed_at: datetime | None
    stopped_at: datetime | None
    author: str | None
    stopped_by: str | None
    jobs: Sequence[BatchJob] = field(default=())


async def card(
    session: AsyncSession, org_id: UUID, *, batch_id: UUID | str | None = None, number: int | None = None
) -> BatchCard | None:
    """A batch by id or by its number in the org, without its jobs."""
    values = {"org": org_id, "id": str(batch_id) if batch_id else None, "number": number}
    return one(BatchCard, await session.execute(_CARD, values))


async def jobs(session: AsyncSession, org_id: UUID, batch_id: UUID) -> list[BatchJob]:
    """All of its jobs, in their order."""
    return every(BatchJob, await session.execute(_JOBS, {"org": org_id, "id": batch_id}))


async def cards(
    session: AsyncSession, org_id: UUID, *, scope: Scope, words: str = "", live: bool = False, limit: int = 25
) -> list[BatchCard]:
    """Batches with a server in a scope, the newest first. `live`: only those that go on."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") or None
    values = {"org": org_id, "words": like, "live": live, "limit": limit, **scope_values(scope)}
    return every(BatchCard, await session.execute(_LIST, values))
