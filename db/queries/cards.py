"""What a card needs, joined: one statement per card."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.queries.rest import PLANNED, REST, RESTING, Resting
from db.rows import every, one


@dataclass(frozen=True)
class JobCard:
    """A job with its newest run, its server, its host and who asked for it."""

    id: UUID
    org_id: UUID
    number: int
    type: str
    status: str
    params: dict[str, Any]
    server_id: UUID | None
    server_name: str | None
    host_name: str | None
    host_online: bool
    host_offline_since: datetime | None
    author: str | None
    created_at: datetime
    not_before: datetime
    expires_at: datetime | None
    cancel_requested_at: datetime | None
    finished_at: datetime | None
    attempt: int
    max_attempts: int
    run_status: str | None
    phase: str | None
    message: str | None
    started_at: datetime | None
    duration_ms: int | None
    error: str | None
    output: str | None
    """None in a list: a hundred of them may be suggested at a key press, and one may have 64 KiB."""
    result: dict[str, Any] | None = None
    """What the newest run brought besides words; None in a list, too."""
    behind: int | None = None
    """Number of the job that has to end on its server before this one can begin; None in a list, too."""
    schedule: str | None = None
    """The name of the schedule that made it."""
    batch: int | None = None
    macro: str | None = None
    """Number of the batch that it is a part of."""
    archived: bool = False
    """It ended so long ago that it left the queue: it is looked at, and not done again."""


_JOBS = """
    select j.id, j.org_id, j.number, j.type, j.status, j.payload as params, j.server_instance_id as server_id,
           s.name as server_name, h.name as host_name, h.status is not distinct from 'online' as host_online,
           coalesce(h.offline_since, h.last_heartbeat_at) as host_offline_since,
           coalesce(u.display_name, u.username) as author, j.created_at, j.not_before, j.expires_at,
           j.cancel_requested_at, j.finished_at, coalesce(r.attempt, 0) as attempt, j.max_attempts,
           r.status as run_status, r.progress_phase as phase, r.progress_message as message, r.started_at,
           r.duration_ms, r.error_message as error, {output} as output, {result} as result,
           {behind} as behind,
           (select c.name from schedules c where c.id = j.schedule_id) as schedule,
           (select b.number from job_batches b where b.id = j.batch_id) as batch,
           (select m.name from command_macros m where m.id = j.macro_id) as macro, j.archived
      from all_jobs j
      left join server_instances s on s.id = j.server_instance_id
      left join hosts h on h.id = j.host_id
      left join users u on u.id = j.created_by_id
      left join lateral (select * from all_job_runs r where r.job_id = j.id order by r.attempt desc limit 1) r on true
     where j.org_id = :org"""
_BEHIND = """(select b.number from job_runs o join jobs b on b.id = o.job_id
                   where j.status = 'queued' and j.is_exclusive and o.server_instance_id = j.server_instance_id
                     and o.is_exclusive and o.status in ('claimed', 'running') limit 1)"""
_JOB = text(
    f"/* cards.job */ {_JOBS.format(output='r.output', result='r.result', behind=_BEHIND)} and (j.id = cast(:id as uuid) or j.number = cast(:number as bigint))"
)
_JOB_LIST = text(f"""/* cards.jobs */ {_JOBS.format(output="null", result="null", behind="null")}
    and (cast(:server as uuid) is null or j.server_instance_id = cast(:server as uuid))
    and (cast(:statuses as text[]) is null or j.status = any(cast(:statuses as text[])))
    and {covered("j.server_instance_id")}
    order by j.created_at desc, j.number desc limit :limit offset :offset""")


async def job(
    session: AsyncSession, org_id: UUID, *, job_id: UUID | str | None = None, number: int | None = None
) -> JobCard | None:
    """The card of one job, by id or by its number in the org."""
    values = {"org": org_id, "id": str(job_id) if job_id else None, "number": number}
    return one(JobCard, await session.execute(_JOB, values))


async def jobs(
    session: AsyncSession,
    org_id: UUID,
    *,
    scope: Scope,
    server_id: UUID | None = None,
    statuses: Sequence[str] | None = None,
    limit: int = 11,
    offset: int = 0,
) -> list[JobCard]:
    """Jobs of the servers in a scope, newest first; ask for one more than you show to know whether there is another
    page."""
    chosen = list(statuses) if statuses is not None else None
    values = {"org": org_id, "server": server_id, "statuses": chosen, "limit": limit, "offset": offset}
    return every(JobCard, await session.execute(_JOB_LIST, {**values, **scope_values(scope)}))


_PLAN = """(select jsonb_build_object('action', p.action, 'dueAt', p.due_at) from power_plans p
             where p.server_instance_id = s.id and p.status in ('planned', 'running'))"""
_SERVERS = f"""
    select s.id, s.org_id, s.name, s.slug, g.slug as game, g.name as game_name, s.status, s.desired_state, s.restart_policy,
           s.status_changed_at, s.observed, s.port, s.players_online, s.last_seen_at, s.vars, s.host_id,
           h.name as host_name, h.status as host_status, coalesce(h.offline_since, h.last_heartbeat_at) as host_offline_since,
           coalesce((select r from jsonb_array_elements(h.games) r where r ->> 'id' = g.slug limit 1) -> 'capabilities',
                    g.capabilities) as capabilities,
           array(select t.tag from server_tags t where t.server_instance_id = s.id order by t.tag) as tags,
           (select j.number from jobs j join job_runs r on r.job_id = j.id
             where j.server_instance_id = s.id and j.is_exclusive and r.status in ('claimed', 'running') limit 1) as busy_with,
           {{next_restart}} as next_restart, {{incident}} as incident, {_PLAN} as plan, {RESTING}, {PLANNED} as maintenance_at
      from server_instances s join game_types g on g.id = s.game_type_id join hosts h on h.id = s.host_id {REST}
     where s.org_id = :org and s.deleted_at is null"""


@dataclass(frozen=True)
class ServerCard(Resting):
    """A game server with its host, what is known of its state, and why it is left alone."""

    id: UUID
    org_id: UUID
    name: str
    slug: str
    game: str
    game_name: str
    status: str
    desired_state: str
    restart_policy: str
    status_changed_at: datetime | None
    observed: dict[str, Any]
    port: int | None
    players_online: int | None
    last_seen_at: datetime | None
    vars: dict[str, str]
    host_id: UUID
    host_name: str
    host_status: str
    host_offline_since: datetime | None
    capabilities: list[str]
    tags: list[str]
    busy_with: int | None
    """Number of the exclusive job that is under way."""
    next_restart: datetime | None = None
    """When a schedule restarts it next; None in a list."""
    incident: int | None = None
    """Number of an incident of its own or of its host that is not over; None in a list."""
    plan: dict[str, Any] | None = None
    """The stop or restart that is planned: `action`, and `dueAt`, else as soon as nobody is on."""
    maintenance_at: datetime | None = None
    """When its next maintenance begins, if that is within a day."""

    @property
    def host_online(self) -> bool:
        return self.host_status == "online"

    @property
    def is_up(self) -> bool:
        """It runs, or is about to."""
        return self.status in ("running", "starting")

    @property
    def says(self) -> bool:
        """Its game can tell players something."""
        return "say" in self.capabilities

    @property
    def hears(self) -> bool:
        """There may be players, and they can be told something now."""
        return self.says and self.host_online and self.status == "running"

    @property
    def caution(self) -> tuple[str, bool] | None:
        """A time in the game at which a stop hurts, and whether it is now; False: soon."""
        found = self.observed.get("caution")
        return (str(found["name"]), bool(found["now"])) if found and self.host_online else None


_NEXT_RESTART = """
    (select min(c.next_run_at + make_interval(secs => t.time_offset_sec))
       from schedules c join schedule_tasks t on t.schedule_id = c.id and t.job_type = 'SERVER_RESTART'
      where c.org_id = s.org_id and c.enabled and c.skip_next = 0 and (c.paused_until <= c.next_run_at) is not false
        and (c.server_instance_id = s.id or c.tag in (select t.tag from server_tags t where t.server_instance_id = s.id))
        and not exists (select 1 from schedule_exclusions x where x.schedule_id = c.id and x.server_instance_id = s.id))"""
_INCIDENT = """
    (select i.number from incidents i
      where i.org_id = s.org_id and i.status in ('open', 'investigating')
        and (i.server_instance_id = s.id or i.server_instance_id is null and i.host_id = s.host_id)
      order by i.number limit 1)"""
_SERVER = text(f"""/* cards.server */ {_SERVERS.format(next_restart=_NEXT_RESTART, incident=_INCIDENT)}
    and (s.id = cast(:id as uuid) or cast(:name as text) is not null and lower(s.name) = lower(:name))""")
_LIST = text(f"""/* cards.servers */ {_SERVERS.format(next_restart="cast(null as timestamptz)", incident="cast(null as bigint)")}
    and (cast(:status as text) is null or s.status = :status)
    and (cast(:tag as text) is null or exists (select 1 from server_tags t where t.server_instance_id = s.id and t.tag = :tag))
    and (cast(:words as text) is null or s.name ilike '%' || :words || '%' or s.slug ilike '%' || :words || '%')
    and {covered("s.id")}
    order by lower(s.name), s.id limit :limit offset :offset""")


async def server(
    session: AsyncSession, org_id: UUID, *, server_id: UUID | None = None, name: str | None = None
) -> ServerCard | None:
    """The card of one server, by id or by its exact name (case does not count)."""
    values = {"org": org_id, "id": server_id, "name": name, "now": clock.now()}
    return one(ServerCard, await session.execute(_SERVER, values))


async def servers(
    session: AsyncSession,
    org_id: UUID,
    *,
    scope: Scope,
    status: str | None = None,
    tag: str | None = None,
    words: str | None = None,
    limit: int | None = 11,
    offset: int = 0,
) -> list[ServerCard]:
    """Servers in a scope by name; ask for one more than you show to know whether there is another page. `limit` None:
    all of them."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if words else None
    values = {"org": org_id, "status": status, "tag": tag, "words": like, "limit": limit, "offset": offset}
    return every(ServerCard, await session.execute(_LIST, {**values, **scope_values(scope), "now": clock.now()}))
