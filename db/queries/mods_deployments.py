"""Deployments: every install and rollback of a mod on a server, from the wish to what became of it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_ADD = text("""/* mods_deployments.add */
    insert into mod_deployments (id, org_id, artifact_id, server_instance_id, mod_name, action, previous_deployment_id,
                                 restart_required, deployed_by_id, created_at)
    select :id, :org, a.id, :server, a.name, :action,
           (select d.id from mod_deployments d
             where d.server_instance_id = :server and lower(d.mod_name) = lower(a.name) and d.status = 'active'),
           :restart, cast(:by as uuid), :now
      from mod_artifacts a where a.id = :artifact and a.org_id = :org""")

_GIVEN = text("""/* mods_deployments.given */
    update mod_deployments set job_id = :job where id = :id and org_id = :org""")

_COLUMNS = """
    d.id, d.mod_name as mod, a.version, d.action, d.status, d.error, d.restart_required, d.created_at, d.finished_at,
    d.artifact_id, j.number, j.status as job_status, coalesce(u.display_name, u.username) as author
"""
_FROM = """
      from mod_deployments d join mod_artifacts a on a.id = d.artifact_id left join all_jobs j on j.id = d.job_id
           left join users u on u.id = d.deployed_by_id
     where d.org_id = :org and d.server_instance_id = :server
"""
_OF_MOD = "and lower(d.mod_name) = lower(:mod)"

_ACTIVE = text(f"""/* mods_deployments.active */ select {_COLUMNS} {_FROM} {_OF_MOD} and d.status = 'active'""")

_LIVE = text(
    f"""/* mods_deployments.live */ select {_COLUMNS} {_FROM} {_OF_MOD} and d.status in ('pending', 'running')"""
)

# Of each server what it has of a mod and what is on its way there.
_ON = text("""/* mods_deployments.on */
    select d.server_instance_id as server_id, (array_agg(d.artifact_id) filter (where d.status = 'active'))[1] as artifact_id,
           max(j.number) filter (where d.status <> 'active') as number, bool_or(d.status <> 'active') as under_way
      from mod_deployments d left join all_jobs j on j.id = d.job_id
     where d.org_id = :org and d.server_instance_id = any(cast(:servers as uuid[])) and lower(d.mod_name) = lower(:mod)
       and d.status in ('active', 'pending', 'running')
     group by d.server_instance_id""")

_HISTORY = text(f"""/* mods_deployments.of_server */ select {_COLUMNS} {_FROM}
    order by d.created_at desc, d.id limit :limit offset :offset""")

# One row for each version that was on the server once, in the order in which they were last.
_EARLIER = text(f"""/* mods_deployments.earlier */
    with been as (
      select distinct on (d.artifact_id) {_COLUMNS} {_FROM} {_OF_MOD} and d.status in ('superseded', 'rolled_back')
         and a.status = 'ready'
         and d.artifact_id is distinct from (select n.artifact_id from mod_deployments n
                                              where n.server_instance_id = :server and lower(n.mod_name) = lower(:mod)
                                                and n.status = 'active')
       order by d.artifact_id, d.created_at desc)
    select * from been order by created_at desc limit :limit""")

_VERSIONS_ON_SERVERS = text(f"""/* mods_deployments.versions_of */
    select d.mod_name as mod, a.version, max(d.created_at) as at
      from mod_deployments d join mod_artifacts a on a.id = d.artifact_id
     where d.org_id = :org and d.status in ('superseded', 'rolled_back') and {covered("d.server_instance_id")}
       and (cast(:mod as text) = '' or lower(d.mod_name) = lower(:mod))
       and (cast(:words as text) is null or d.mod_name ilike '%' || :words || '%' or a.version ilike '%' || :words || '%')
     group by d.mod_name, a.version order by max(d.created_at) desc limit :limit""")

_STOPPED = text("""/* mods_deployments.stopped */
    select d.id, d.server_instance_id as server_id, d.artifact_id, d.action, r.result
      from jobs j join mod_deployments d on d.job_id = j.id join job_runs r on r.job_id = j.id
     where j.org_id = :org and j.number = :number and d.status = 'failed' and r.result ->> 'state' = 'conflict'
     order by r.attempt desc limit 1""")

_LOCK = text("""/* mods_deployments.lock */
    select d.id, d.status, d.action, d.server_instance_id as server_id, d.mod_name as mod,
           exists (select 1 from mod_deployments n
                    where n.server_instance_id = d.server_instance_id and lower(n.mod_name) = lower(d.mod_name)
                      and (n.created_at, n.id) > (d.created_at, d.id)
                      and n.status not in ('pending', 'running', 'failed')) as overtaken
      from mod_deployments d where d.job_id = :job for update of d""")

_REPLACE = text("""/* mods_deployments.replace */
    update mod_deployments set status = :status
     where server_instance_id = :server and lower(mod_name) = lower(:mod) and status = 'active' and id <> :id""")

_END = text("""/* mods_deployments.end */
    update mod_deployments set status = :status, error = cast(:error as text), finished_at = :now where id = :id""")


@dataclass(frozen=True)
class Deployment:
    """A version of a mod on its way to a server, there, or gone again."""

    id: UUID
    mod: str
    version: str
    action: str
    status: str
    error: str | None
    restart_required: bool
    created_at: datetime
    finished_at: datetime | None
    artifact_id: UUID
    number: int | None
    """Of its job; None: purged by now."""
    job_status: str | None
    author: str | None


@dataclass(frozen=True)
class OnServer:
    """How a mod stands on one server."""

    server_id: UUID
    artifact_id: UUID | None
    """What is there; None: nothing."""
    number: int | None
    """Of the job that brings another one."""
    under_way: bool


@dataclass(frozen=True)
class Stopped:
    """A deployment that met files which somebody had edited on the host."""

    id: UUID
    server_id: UUID
    artifact_id: UUID
    action: str
    result: dict[str, Any]
    """As the host reported it."""


@dataclass(frozen=True)
class LockedDeployment:
    """A deployment whose row this transaction holds."""

    id: UUID
    status: str
    action: str
    server_id: UUID
    mod: str
    overtaken: bool
    """A newer one of the same mod got there."""


async def add(
    session: AsyncSession,
    *,
    deployment_id: UUID,
    org_id: UUID,
    artifact_id: UUID,
    server_id: UUID,
    action: str,
    restart: bool,
    by: UUID | None,
    now: datetime,
) -> None:
    """Writes a wish down. The caller holds the server's row and has looked for one that is under way."""
    values = {"id": deployment_id, "org": org_id, "artifact": artifact_id, "server": server_id, "action": action}
    await session.execute(_ADD, {**values, "restart": restart, "by": by, "now": now})


async def given(session: AsyncSession, org_id: UUID, deployment_id: UUID, job_id: UUID) -> None:
    """The job that carries a deployment out."""
    await session.execute(_GIVEN, {"org": org_id, "id": deployment_id, "job": job_id})


async def active(session: AsyncSession, org_id: UUID, server_id: UUID, mod: str) -> Deployment | None:
    """What is on the server now."""
    return one(Deployment, await session.execute(_ACTIVE, {"org": org_id, "server": server_id, "mod": mod}))


async def live(session: AsyncSession, org_id: UUID, server_id: UUID, mod: str) -> Deployment | None:
    """What is on its way to the server."""
    return one(Deployment, await session.execute(_LIVE, {"org": org_id, "server": server_id, "mod": mod}))


async def on(session: AsyncSession, org_id: UUID, servers: Collection[UUID], mod: str) -> dict[UUID, OnServer]:
    """How a mod stands on each of the servers that has or awaits it."""
    rows = await session.execute(_ON, {"org": org_id, "servers": list(servers), "mod": mod})
    return {row.server_id: row for row in every(OnServer, rows)}


async def stopped(session: AsyncSession, org_id: UUID, number: int) -> Stopped | None:
    """The deployment of a job that did not replace edited files."""
    return one(Stopped, await session.execute(_STOPPED, {"org": org_id, "number": number}))


async def of_server(
    session: AsyncSession, org_id: UUID, server_id: UUID, *, limit: int, offset: int = 0
) -> list[Deployment]:
    """The newest first; ask for one more than you show to know whether there is another page."""
    values = {"org": org_id, "server": server_id, "limit": limit, "offset": offset}
    return every(Deployment, await session.execute(_HISTORY, values))


async def earlier(session: AsyncSession, org_id: UUID, server_id: UUID, mod: str, limit: int = 25) -> list[Deployment]:
    """The versions that were on the server before the one of now, the last one first."""
    values = {"org": org_id, "server": server_id, "mod": mod, "limit": limit}
    return every(Deployment, await session.execute(_EARLIER, values))


async def versions_on_servers(
    session: AsyncSession, org_id: UUID, words: str | None, mod: str = "", *, scope: Scope, limit: int = 25
) -> list[tuple[str, str, datetime]]:
    """(mod, version, when) of what servers in a scope had before. `mod`: of this one only."""
    values = {"org": org_id, "words": words, "mod": mod, "limit": limit, **scope_values(scope)}
    rows = await session.execute(_VERSIONS_ON_SERVERS, values)
    return [(row.mod, row.version, row.at) for row in rows]


async def lock(session: AsyncSession, job_id: UUID) -> LockedDeployment | None:
    """The deployment that a job carries out."""
    return one(LockedDeployment, await session.execute(_LOCK, {"job": job_id}))


async def replace(session: AsyncSession, deployment: LockedDeployment, status: str) -> None:
    """What was there before is `superseded` or `rolled_back` now."""
    values = {"server": deployment.server_id, "mod": deployment.mod, "id": deployment.id, "status": status}
    await session.execute(_REPLACE, values)


async def end(session: AsyncSession, deployment_id: UUID, status: str, error: str | None, now: datetime) -> None:
    await session.execute(_END, {"id": deployment_id, "status": status, "error": error, "now": now})
