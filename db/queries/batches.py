"""Batches as they are written: begun, held while somebody tends them, stopped, ended. Their counts are those of jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.batches import Counts
from db.rows import every, one

_ADD = text("""/* batches.add */
    with counter as (
      insert into org_counters (org_id, name, value) values (:org, 'batch', 1)
      on conflict (org_id, name) do update set value = org_counters.value + 1 returning value)
    insert into job_batches (org_id, number, action, targets, payload, total_count, max_parallel, stop_on_failure,
                             created_by_id, created_at)
    select :org, value, :action, '{}', :payload, :total, :parallel, :stop, cast(:by as uuid), :now from counter
    returning id, number""").bindparams(bindparam("payload", type_=JSONB))

# What the second of two people begins has seen what the first one has begun on the same servers.
_IN_TURN = text("""/* batches.in_turn */
    select pg_advisory_xact_lock(hashtextextended('batch:' || cast(:org as uuid)::text, 0))""")

_BUSY = text("""/* batches.busy */
    select server_instance_id as server_id, min(number) as number from jobs
     where org_id = :org and server_instance_id = any(cast(:servers as uuid[])) and status in ('held', 'queued', 'running')
       and dedupe_key = 'power:' || server_instance_id
     group by server_instance_id""")

_FILLED = text("""/* batches.filled */
    update job_batches set total_count = :total, targets = :targets where org_id = :org and id = :id""").bindparams(
    bindparam("targets", type_=JSONB)
)

_LOCK = text("""/* batches.lock */
    select b.id, b.org_id, o.discord_guild_id as guild_id, b.number, b.action, b.status, b.max_parallel,
           b.stop_on_failure, b.stopped_at is not null as stopped, coalesce(u.display_name, u.username) as stopped_by
      from job_batches b join orgs o on o.id = b.org_id left join users u on u.id = b.stopped_by_id
     where b.org_id = :org and (b.id = cast(:id as uuid) or b.number = cast(:number as bigint)) for update of b""")

_COUNTS = text("""/* batches.counts */
    select status, count(*) as jobs from all_jobs where org_id = :org and batch_id = :id group by status""")

# Whoever waits for this batch may hold one of its jobs, so nobody who holds the batch may wait for a job. What is left out
# here is ended by the other one, or found by the next who tends the batch. A host that is away keeps nobody waiting.
_HELD = text("""/* batches.held */
    select j.id, j.host_id, j.server_instance_id as server_id, s.name as server_name, s.status,
           (s.id is null or s.deleted_at is not null or h.id is null or h.deleted_at is not null) as gone,
           h.status is not distinct from 'online' as host_online,
           coalesce((select r from jsonb_array_elements(h.games) r where r ->> 'id' = g.slug limit 1) -> 'capabilities',
                    g.capabilities, '[]') as capabilities
      from jobs j left join server_instances s on s.id = j.server_instance_id left join hosts h on h.id = j.host_id
           left join game_types g on g.id = s.game_type_id
     where j.org_id = :org and j.batch_id = :id and j.status = 'held'
     order by h.status is distinct from 'online', j.number limit :limit for update of j skip locked""")

_CANCEL = text("""/* batches.cancel */
    with ended as (
      update jobs set status = 'cancelled', finished_at = :now, cancelled_by_id = coalesce(cast(:by as uuid), cancelled_by_id)
       where org_id = :org and id = any(cast(:jobs as uuid[])) and status = 'held'
      returning id, org_id, number, type, server_instance_id),
    given_up as (
      update mod_deployments d set status = 'failed', error = :reason, finished_at = :now
        from ended where d.org_id = ended.org_id and d.job_id = ended.id and d.status in ('pending', 'running'))
    insert into events (org_id, source_type, source_id, event_type, payload, ts, received_at)
    select org_id, 'job_run', id::text, 'job.cancelled',
           jsonb_build_object('number', number, 'type', type, 'reason', cast(:reason as text),
                              'serverId', coalesce(server_instance_id::text, '')), :now, :now
      from ended""")

_LEAVE_OUT = text("""/* batches.leave_out */
    update job_batches set targets = jsonb_set(targets, '{left}', coalesce(targets -> 'left', '[]') || :more)
     where org_id = :org and id = :id""").bindparams(bindparam("more", type_=JSONB))

_STOP = text("""/* batches.stop */
    update job_batches set stopped_at = :now, stopped_by_id = cast(:by as uuid)
     where org_id = :org and id = :id and stopped_at is null""")

_END = text("""/* batches.end */
    update job_batches set status = :status, completed_at = :now
     where org_id = :org and id = :id and status = 'running' returning 1""")

# With room for a job that waits, or with none that waits or is under way: somebody died, or looked away from a held row.
_STUCK = text("""/* batches.stuck */
    select b.id, b.org_id from job_batches b
     cross join lateral (
       select count(*) filter (where j.status = 'held') as held,
              count(*) filter (where j.status in ('queued', 'running')) as under_way
         from jobs j where j.org_id = b.org_id and j.batch_id = b.id) c
     where b.status = 'running'
       and (c.held + c.under_way = 0 or c.held > 0 and (b.stopped_at is not null or c.under_way < b.max_parallel))
     order by b.created_at limit :limit""")


@dataclass(frozen=True)
class LockedBatch:
    """A batch whose row this transaction holds."""

    id: UUID
    org_id: UUID
    guild_id: int
    number: int
    action: str
    status: str
    max_parallel: int
    stop_on_failure: bool
    stopped: bool
    stopped_by: str | None


@dataclass(frozen=True)
class HeldJob:
    """A job of a batch that waits for its turn, and its server as it is now; this transaction holds the job's row."""

    id: UUID
    host_id: UUID | None
    server_id: UUID | None
    server_name: str | None
    status: str | None
    """Of the server."""
    gone: bool
    """The server or its host was removed."""
    host_online: bool
    capabilities: list[str]


async def add(session: AsyncSession, values: dict[str, Any]) -> tuple[UUID, int]:
    """Begins a batch; its id and number. `values`: the names in `_ADD`."""
    row = (await session.execute(_ADD, values)).one()
    return row.id, row.number


async def in_turn(session: AsyncSession, org_id: UUID) -> None:
    """Until the end of the transaction nobody else begins a batch in the org."""
    await session.execute(_IN_TURN, {"org": org_id})


async def busy(session: AsyncSession, org_id: UUID, servers: Collection[UUID]) -> dict[UUID, int]:
    """Server -> number of the power action that waits or is under way there."""
    rows = await session.execute(_BUSY, {"org": org_id, "servers": list(servers)})
    return {row.server_id: row.number for row in rows}


async def filled(session: AsyncSession, org_id: UUID, batch_id: UUID, *, total: int, targets: dict[str, Any]) -> None:
    """Writes down on which servers it is done, once their jobs are there."""
    await session.execute(_FILLED, {"org": org_id, "id": batch_id, "total": total, "targets": targets})


async def lock(
    session: AsyncSession, org_id: UUID, *, batch_id: UUID | None = None, number: int | None = None
) -> LockedBatch | None:
    """By id, or by its number in the org. Whoever holds a job, too, has locked that first."""
    return one(LockedBatch, await session.execute(_LOCK, {"org": org_id, "id": batch_id, "number": number}))


async def counts(session: AsyncSession, org_id: UUID, batch_id: UUID) -> Counts:
    """How its jobs stand."""
    rows = await session.execute(_COUNTS, {"org": org_id, "id": batch_id})
    return Counts(**{row.status: row.jobs for row in rows})


async def held(session: AsyncSession, org_id: UUID, batch_id: UUID, limit: int | None = None) -> list[HeldJob]:
    """The next ones whose turn comes, without those that somebody else holds. `limit` None: all."""
    return every(HeldJob, await session.execute(_HELD, {"org": org_id, "id": batch_id, "limit": limit}))


async def cancel(
    session: AsyncSession, org_id: UUID, jobs: Collection[UUID], *, reason: str, by: UUID | None, now: datetime
) -> None:
    """Ends held jobs, which this transaction holds, with their events; what they were to deploy is given up."""
    values = {"org": org_id, "jobs": list(jobs), "reason": reason, "by": by, "now": now}
    await session.execute(_CANCEL, values)


async def leave_out(session: AsyncSession, org_id: UUID, batch_id: UUID, more: Sequence[dict[str, str]]) -> None:
    """Remembers servers on which nothing is done, and why."""
    await session.execute(_LEAVE_OUT, {"org": org_id, "id": batch_id, "more": list(more)})


async def stop(session: AsyncSession, org_id: UUID, batch_id: UUID, *, by: UUID | None, now: datetime) -> None:
    """It begins nothing more. `by` None: because a job failed."""
    await session.execute(_STOP, {"org": org_id, "id": batch_id, "by": by, "now": now})


async def end(session: AsyncSession, org_id: UUID, batch_id: UUID, status: str, now: datetime) -> bool:
    """False: it has ended before."""
    values = {"org": org_id, "id": batch_id, "status": status, "now": now}
    return await session.scalar(_END, values) is not None


async def stuck(session: AsyncSession, limit: int) -> list[tuple[UUID, UUID]]:
    """(id, org) of batches that would not go on by themselves."""
    return [(row.id, row.org_id) for row in await session.execute(_STUCK, {"limit": limit})]
