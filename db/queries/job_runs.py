"""Runs: the attempts at a job, claimed by its host under a lease. Both sides of the lease are PostgreSQL's now()."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.jobs import LEASE
from db.models.jobs import TURN
from db.rows import every, one

_LEASE = f"interval '{LEASE.total_seconds():.0f} seconds'"

_BLOCKED = """(j.is_exclusive and exists (
      select 1 from job_runs b where b.server_instance_id = j.server_instance_id and b.is_exclusive
         and b.status in ('claimed', 'running')))"""
_TURN = re.sub(r"\b(not_before|priority)\b", r"j.\1", TURN)
_DUE = f"""j.status = 'queued' and j.not_before <= :now and (j.expires_at is null or j.expires_at > :now) and not {_BLOCKED}"""

# Offers whose answer may have been lost come first, with a new claim token. Of the rest, at most one exclusive job per server;
# where two claimers meet at one server, the partial unique index lets one of them pass and `do nothing` spares the other an error;
# all of them write in the order of the servers, so none waits for one that waits for it. Claims of one host, which has two
# polls where it has just changed the process that it talks to, take turns.
# In `turn` order, which is the index's; the bound on it lets the scan end where jobs of the future begin.
# A key that was revoked during a long poll gets nothing any more. Of a limit that is an expression the planner expects a
# tenth of the table: the array and the lateral join leave it nothing but the primary key, however long the queue is.
_CLAIM = """
    with live as materialized (
      select pg_advisory_xact_lock(hashtextextended(cast(cast(:host as uuid) as text), 0)) from api_keys k
       where k.id = :key and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())),
    lost as (
      select r.id from job_runs r where r.host_id = :host and r.status = 'claimed' and exists (select 1 from live){kind_of_run}
       order by r.created_at limit :slots for update skip locked),
    offered as (
      update job_runs r set claim_token = gen_random_uuid(), lease_expires_at = now() + {lease}
        from lost where r.id = lost.id
      returning r.id, r.job_id, r.attempt, r.claim_token, r.lease_expires_at),
    due as (
      select j.id, j.org_id, j.host_id, j.server_instance_id, j.is_exclusive, {turn} as turn, j.number
        from jobs j
       where j.host_id = :host and {due} and {turn} <= timezone('UTC', cast(:now as timestamptz))
         and exists (select 1 from live){kind_of_job}
       order by {turn}, j.number
       limit greatest(:slots - (select count(*) from offered), 0) for update of j skip locked),
    ranked as (
      select due.*, row_number() over (partition by server_instance_id, is_exclusive
                                       order by turn, number) as place from due),
    taken as (
      insert into job_runs (org_id, job_id, host_id, server_instance_id, attempt, is_exclusive, lease_expires_at, created_at)
      select org_id, id, host_id, server_instance_id,
             coalesce((select max(p.attempt) from job_runs p where p.job_id = ranked.id), 0) + 1,
             is_exclusive, now() + {lease}, :now
        from ranked where not is_exclusive or server_instance_id is null or place = 1
       order by server_instance_id, number
      on conflict do nothing
      returning id, job_id, attempt, claim_token, lease_expires_at),
    busy as (
      update jobs set status = 'running' where id = any(array(select job_id from taken)))
    select now() as now, c.*, j.number, j.type, j.payload, j.timeout_sec, j.server_instance_id as server_id,
           (select jsonb_build_object('status', s.status, 'players', s.players_online)
              from schedules e join server_instances s on s.id = j.server_instance_id
             where e.id = j.schedule_id and e.only_when_empty and j.type in ('SERVER_RESTART', 'SERVER_STOP')
               and c.attempt = 1) as only_empty
      from (select * from offered union all select * from taken) c
           cross join lateral (select * from jobs where id = c.job_id limit 1) j
     order by {turn}, j.number"""


def _claiming(of_a_kind: str = "") -> str:
    """`of_a_kind`: a condition on the job."""
    kinds = {
        "kind_of_job": f" and {of_a_kind}" if of_a_kind else "",
        "kind_of_run": f" and exists (select 1 from jobs j where j.id = r.job_id and {of_a_kind})" if of_a_kind else "",
    }
    return _CLAIM.format(lease=_LEASE, turn=_TURN, due=_DUE, **kinds)


_CLAIM_ANY = text(f"/* job_runs.claim */{_claiming()}")
_CLAIM_KILLS = text(f"""/* job_runs.claim_kills */{_claiming("j.type = 'SERVER_KILL'")}""")

# An offer that was not begun at once did not arrive, and the poll that waits now may have looked just before it was made.
_READY = text(f"""/* job_runs.ready */
    select h.id from unnest(cast(:hosts as uuid[])) h(id)
     where exists (select 1 from jobs j where j.host_id = h.id and {_DUE})
        or exists (select 1 from job_runs r where r.host_id = h.id and r.status = 'claimed'
                      and r.lease_expires_at < now() + {_LEASE} - interval '3 seconds')
        or exists (select 1 from job_runs r join jobs j on j.id = r.job_id
                    where r.host_id = h.id and r.status = 'running' and j.cancel_requested_at is not null)""")

_UNWANTED = text("""/* job_runs.unwanted */
    select r.id from job_runs r join jobs j on j.id = r.job_id
     where r.host_id = :host and r.status = 'running' and j.cancel_requested_at is not null
       and r.id <> all(cast(:known as uuid[]))""")

# `run.*` of the old row: a message is edited only when something that it shows has changed.
_PROGRESS = text(f"""/* job_runs.progress */
    with was as (
      select r.id, r.status, r.progress_phase, r.progress_message from job_runs r
       where r.id = :run and r.host_id = :host and r.claim_token = :token
         and (r.status = 'running' or r.status = 'claimed' and r.lease_expires_at > now()) for update),
    moved as (
      update job_runs r set status = 'running', lease_expires_at = now() + {_LEASE}, last_progress_at = :now,
             started_at = coalesce(r.started_at, :now), progress_message = :message,
             progress_phase = case when cast(:phase as text) = 'started' then r.progress_phase else :phase end
        from was where r.id = was.id returning r.job_id, r.progress_phase, r.progress_message)
    select j.id as job_id, j.org_id, j.type, j.server_instance_id as server_id, was.status = 'claimed' as began,
           j.cancel_requested_at is not null as cancel,
           case when was.status = 'claimed' or (was.progress_phase, was.progress_message)
                     is distinct from (moved.progress_phase, moved.progress_message)
                then array(select m.id from bot_messages m
                            where m.org_id = j.org_id and m.kind = 'job' and m.subject_id = j.id::text)
                else '{{}}' end as messages
      from was, moved join jobs j on j.id = moved.job_id""")

_FIND = text("/* job_runs.find */ select job_id, status from job_runs where id = :run and host_id = :host")

_LOCK = text("""/* job_runs.lock */
    select r.id, r.job_id, r.attempt, r.status, r.claim_token, r.result is not null as known,
           r.status = 'running' and r.lease_expires_at < now() as lapsed
      from job_runs r where r.id = :run for update""")

_FINISH = text("""/* job_runs.finish */
    update job_runs set status = :status, finished_at = :now, duration_ms = :duration, error_message = :error,
           started_at = coalesce(started_at, :now), output = :output, result = :result
     where id = :run""").bindparams(bindparam("result", type_=JSONB))

_DROP_NEWER = text("""/* job_runs.drop_newer_offer */
    delete from job_runs where job_id = :job and attempt > :attempt and status = 'claimed'""")

_OVERTAKEN = text("""/* job_runs.overtaken */
    select 1 from job_runs where job_id = :job and attempt > :attempt and status = 'running' limit 1""")

_LAPSED = text("""/* job_runs.lapsed */
    select r.id as run_id, r.job_id, r.status from job_runs r
     where r.status in ('claimed', 'running') and r.lease_expires_at < now() order by r.lease_expires_at limit :limit""")

_TAKE_BACK = text("""/* job_runs.take_back */
    with gone as (delete from job_runs where id = :run and status = 'claimed' and lease_expires_at < now() returning job_id)
    update jobs j set status = 'queued' from gone where j.id = gone.job_id and j.status = 'running'
    returning pg_notify('gk_jobs', j.host_id::text)""")

# The job first, then its run.
_PASS_ON = text("""/* job_runs.pass_on */
    with job as (
      select id from jobs where id = :job and status = 'running'
         and (select count(*) from leases where duty like 'role:http:%' and expires_at > now()) > 1 for update),
    gone as (
      delete from job_runs r using job
       where r.id = :run and r.job_id = job.id and r.claim_token = :token and r.status = 'claimed' returning r.job_id)
    update jobs j set status = 'queued', not_before = :later from gone where j.id = gone.job_id returning j.id""")

_LOSE = text("""/* job_runs.lose */
    update job_runs set status = 'lost', finished_at = :now, error_message = :error where id = :run""")

_EXPIRED = text("""/* jobs.expired */
    select id from jobs where status = 'queued' and expires_at <= :now order by expires_at limit :limit""")

_PAST = text("/* jobs.past_expiry */ select 1 from jobs where id = :job and status = 'queued' and expires_at <= :now")


@dataclass(frozen=True)
class Offer:
    """A run as it is offered to its host."""

    now: datetime
    """PostgreSQL's: what `lease_expires_at` is compared with."""
    run_id: UUID
    job_id: UUID
    attempt: int
    claim_token: UUID
    lease_expires_at: datetime
    number: int
    type: str
    payload: dict[str, Any]
    timeout_sec: int
    server_id: UUID | None
    only_empty: dict[str, Any] | None
    """It throws out whoever is on, and its schedule does that to nobody: `status` and `players` of the server now. None,
    too, where it is tried again: what was begun is brought to its end."""


@dataclass(frozen=True)
class Moved:
    """What a progress report changed."""

    job_id: UUID
    org_id: UUID
    type: str
    server_id: UUID | None
    began: bool
    cancel: bool
    messages: list[UUID]
    """Messages of the bot that show something older now."""


@dataclass(frozen=True)
class LockedRun:
    """A run whose row this transaction holds."""

    id: UUID
    job_id: UUID
    attempt: int
    status: str
    claim_token: UUID
    known: bool
    """Its result is there already."""
    lapsed: bool


@dataclass(frozen=True)
class Lapsed:
    """A run whose lease has passed."""

    run_id: UUID
    job_id: UUID
    status: str


async def claim(
    session: AsyncSession, *, host_id: UUID, key_id: UUID, slots: int, only_kills: bool, now: datetime
) -> list[Offer]:
    """Offers to a host: first what it was offered and has not begun, then what is due."""
    rows = await session.execute(
        _CLAIM_KILLS if only_kills else _CLAIM_ANY, {"host": host_id, "key": key_id, "slots": slots, "now": now}
    )
    return [
        Offer(
            now=row.now,
            run_id=row.id,
            job_id=row.job_id,
            attempt=row.attempt,
            claim_token=row.claim_token,
            lease_expires_at=row.lease_expires_at,
            number=row.number,
            type=row.type,
            payload=row.payload,
            timeout_sec=row.timeout_sec,
            server_id=row.server_id,
            only_empty=row.only_empty,
        )
        for row in rows
    ]


async def ready(session: AsyncSession, hosts: Collection[UUID], now: datetime) -> list[UUID]:
    """Those of the hosts that could claim something now, or run what shall be cancelled."""
    return list((await session.execute(_READY, {"hosts": list(hosts), "now": now})).scalars())


async def unwanted(session: AsyncSession, host_id: UUID, known: Collection[UUID]) -> list[UUID]:
    """Runs under way on a host whose jobs shall be cancelled, without those known."""
    return list((await session.execute(_UNWANTED, {"host": host_id, "known": list(known)})).scalars())


async def progress(
    session: AsyncSession, *, host_id: UUID, run_id: UUID, token: UUID, phase: str, message: str, now: datetime
) -> Moved | None:
    """Renews a lease; the first report makes an offer a running run. None: not this host's, stale, or over."""
    values = {"host": host_id, "run": run_id, "token": token, "phase": phase, "message": message, "now": now}
    return one(Moved, await session.execute(_PROGRESS, values))


async def find(session: AsyncSession, host_id: UUID, run_id: UUID) -> tuple[UUID, str] | None:
    """The job and the status of one of the host's runs."""
    row = (await session.execute(_FIND, {"host": host_id, "run": run_id})).one_or_none()
    return None if row is None else (row.job_id, row.status)


async def lock(session: AsyncSession, run_id: UUID) -> LockedRun | None:
    return one(LockedRun, await session.execute(_LOCK, {"run": run_id}))


async def finish(
    session: AsyncSession,
    run_id: UUID,
    *,
    status: str,
    duration_ms: int,
    error: str | None,
    output: str,
    result: dict[str, Any],
    now: datetime,
) -> None:
    values = {"run": run_id, "status": status, "duration": duration_ms, "error": error, "output": output}
    await session.execute(_FINISH, {**values, "result": result, "now": now})


async def drop_newer_offer(session: AsyncSession, run: LockedRun) -> None:
    """Takes back the offer of a retry, because the attempt before it has answered after all."""
    await session.execute(_DROP_NEWER, {"job": run.job_id, "attempt": run.attempt})


async def overtaken(session: AsyncSession, run: LockedRun) -> bool:
    """Whether a newer attempt is running. An offer may begin without a lock on its job: take it back first."""
    return await session.scalar(_OVERTAKEN, {"job": run.job_id, "attempt": run.attempt}) is not None


async def lapsed(session: AsyncSession, limit: int) -> list[Lapsed]:
    return every(Lapsed, await session.execute(_LAPSED, {"limit": limit}))


async def take_back(session: AsyncSession, run_id: UUID) -> bool:
    """Removes an offer that was never begun and queues its job again. False: it was begun meanwhile."""
    return (await session.execute(_TAKE_BACK, {"run": run_id})).first() is not None


async def pass_on(session: AsyncSession, offer: Offer, later: datetime) -> bool:
    """Takes back an offer that was not told to its host, for another process to make it then. False: there is none."""
    values = {"job": offer.job_id, "run": offer.run_id, "token": offer.claim_token, "later": later}
    return (await session.execute(_PASS_ON, values)).first() is not None


async def lose(session: AsyncSession, run_id: UUID, error: str, now: datetime) -> None:
    await session.execute(_LOSE, {"run": run_id, "error": error, "now": now})


async def expired(session: AsyncSession, limit: int, now: datetime) -> list[UUID]:
    return list((await session.execute(_EXPIRED, {"limit": limit, "now": now})).scalars())


async def past_expiry(session: AsyncSession, job_id: UUID, now: datetime) -> bool:
    """Asked again once the job is locked."""
    return await session.scalar(_PAST, {"job": job_id, "now": now}) is not None
