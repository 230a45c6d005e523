"""What the rules of all orgs have to look at: one statement per type of rule.

Each row is a rule and an entity that may match it, or that it has seen matching; a server that is fine has none. The
parameters of rules are left to whoever reads them: one that cannot be read must not end the statement.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.queries.rest import COVERS, HELD, UNDER_WAY
from db.rows import every

_COLUMNS = """
    r.id as rule_id, r.org_id, o.discord_guild_id as guild_id, r.name as rule_name, r.type, r.condition, r.severity,
    r.cooldown_seconds, r.creates_incident, r.auto_resolve, r.last_error, h.id as host_id, h.name as host_name,
    f.id as firing_id, coalesce(f.status, 'none') as firing_status, f.pending_since, f.clear_since, f.last_notified_at,
    i.id as incident_id, i.status as incident_status, i.resolved_at as incident_closed_at,
    i.fingerprint is not distinct from f.fingerprint as own_incident"""

_SEEN = """left join alert_firings f on f.rule_id = r.id and f.fingerprint = r.type || ':' || {entity}
      left join incidents i on i.id = f.incident_id and i.org_id = r.org_id"""

_SERVERS = """join server_instances s on s.org_id = r.org_id and s.deleted_at is null
       and (r.server_instance_id is null or r.server_instance_id = s.id) and (r.host_id is null or r.host_id = s.host_id)
      join hosts h on h.id = s.host_id"""

# What happened while a window was under way is no news once it is over, but what still is so then is.
_IN_MAINTENANCE = f"""exists (
             select 1 from maintenance_windows w where w.org_id = s.org_id and {UNDER_WAY} and {COVERS})"""
_CRASHED_IN_IT = f"""exists (
             select 1 from maintenance_windows w
              where w.org_id = s.org_id and w.starts_at <= c.at and coalesce(w.ended_at, w.ends_at) >= c.at and {COVERS})"""
_HELD = f"exists (select 1 from server_holds x where x.server_instance_id = s.id and x.org_id = s.org_id and {HELD})"
_RESTING = f"case when {_IN_MAINTENANCE} then 'in maintenance' else '' end as resting"

_LIVE = "f.status in ('pending', 'firing')"

_HOSTS = text(f"""/* alert_watch.hosts */
    select {_COLUMNS}, null\\:\\:uuid as server_id, h.name as entity_name, h.last_heartbeat_at,
           case when exists (
             select 1 from maintenance_windows w
              where w.org_id = h.org_id and {UNDER_WAY}
                and (w.host_id = h.id or num_nonnulls(w.host_id, w.server_instance_id, w.tag) = 0))
             then 'in maintenance' else '' end as resting,
           exists (select 1 from api_keys k where k.host_id = h.id and k.revoked_at is null and k.confirmed_at is not null)
             as has_key
      from alert_rules r join orgs o on o.id = r.org_id and o.status = 'active'
      join hosts h on h.org_id = r.org_id and h.deleted_at is null and (r.host_id is null or r.host_id = h.id)
      {_SEEN.format(entity="h.id")}
     where r.type = 'host_offline' and r.enabled and r.server_instance_id is null
       and ({_LIVE} or h.last_heartbeat_at < cast(:now as timestamptz) - interval '30 seconds')""")

# A crash may be over before anybody looks: its event says that it was. One that happened while a job was at work on the
# server is that job's affair.
_DOWN = text(f"""/* alert_watch.servers */
    with crashed as (
      select e.org_id, e.source_id, max(e.ts) as at from events e
       where e.org_id in (select org_id from alert_rules where type = 'server_down' and enabled)
         and e.ts > cast(:now as timestamptz) - interval '1 minute' and e.ts <= :now
         and e.source_type = 'server_instance' and e.event_type = 'server.crashed' group by 1, 2)
    select {_COLUMNS}, s.id as server_id, s.name as entity_name, s.status, s.desired_state, s.last_seen_at,
           s.observed ->> 'reachable' is distinct from 'false' as reachable, coalesce(s.observed ->> 'note', '') as note,
           case when {_IN_MAINTENANCE} then 'in maintenance' when {_HELD} then 'held' else '' end as resting,
           c.at is not null and c.at > coalesce(f.last_seen_at, r.updated_at) and not {_CRASHED_IN_IT} and not exists (
             select 1 from job_runs b join jobs j on j.id = b.job_id
              where b.server_instance_id = s.id and (j.is_exclusive or j.type = 'SERVER_KILL') and b.created_at <= c.at
                and coalesce(b.finished_at, 'infinity') >= c.at) as crashed_since,
           exists (select 1 from job_runs b join jobs j on j.id = b.job_id
                    where b.server_instance_id = s.id and b.status in ('claimed', 'running')
                      and (j.is_exclusive or j.type = 'SERVER_KILL')) as busy,
           coalesce(s.last_seen_at, '-infinity') < cast(:now as timestamptz)
             - make_interval(secs => greatest(3 * o.health_interval_sec, 45)) as silent
      from alert_rules r join orgs o on o.id = r.org_id and o.status = 'active' {_SERVERS}
      {_SEEN.format(entity="s.id")}
      left join crashed c on c.org_id = r.org_id and c.source_id = cast(s.id as text)
     where r.type = 'server_down' and r.enabled
       and ({_LIVE} or c.at is not null
            or s.desired_state = 'running' and (s.status <> 'running' or s.observed ->> 'reachable' = 'false'))""")

# Of each type of job the newest runs, so that whatever types a rule names, its newest are among them. Looked up once for
# each server, however many rules watch it.
_RUNS = text(f"""/* alert_watch.runs */
    with suspects as (
      select j.server_instance_id as id from jobs j where j.status = 'failed' and j.finished_at > :since
      union
      select j.server_instance_id from jobs j
       where j.status = 'queued' and exists (select 1 from job_runs x where x.job_id = j.id and x.status in ('failed', 'lost'))
      union
      select x.server_instance_id from job_runs x where x.status in ('claimed', 'running') and x.attempt > 1
      union
      select cast(split_part(f.fingerprint, ':', 2) as uuid) from alert_firings f
       where f.fingerprint like 'job_run_failed:%' and {_LIVE}),
    ended as (
      select x.server_instance_id as id, j.type, x.status, j.number, x.finished_at,
             row_number() over (partition by x.server_instance_id, j.type order by x.finished_at desc) as place
        from suspects q join job_runs x on x.server_instance_id = q.id join jobs j on j.id = x.job_id
       where x.status in ('success', 'failed', 'lost')),
    told as materialized (
      select id, jsonb_agg(jsonb_build_object('type', type, 'status', status, 'number', number,
                                              'at', extract(epoch from finished_at)) order by finished_at desc) as runs
        from ended where place <= 10 group by id)
    select {_COLUMNS}, s.id as server_id, s.name as entity_name,
           greatest(r.updated_at, case when i.fingerprint is distinct from f.fingerprint then i.resolved_at end) as since,
           coalesce(t.runs, '[]') as runs, {_RESTING}
      from alert_rules r join orgs o on o.id = r.org_id and o.status = 'active' {_SERVERS}
      join suspects q on q.id = s.id left join told t on t.id = s.id
      {_SEEN.format(entity="s.id")}
     where r.type = 'job_run_failed' and r.enabled""")

# What is no number is left to whoever reads the condition, and must not end the statement.
_NUMBER = (
    "case when jsonb_typeof(r.condition -> '{name}') = 'number' then cast(r.condition ->> '{name}' as numeric) end"
)
_WINDOW = f"""make_interval(secs => cast(60 * least(greatest(
    coalesce({_NUMBER.format(name="window_minutes")}, 5), 1), 1440) as double precision))"""

_LINES = text(f"""/* alert_watch.lines */
    select {_COLUMNS}, s.id as server_id, s.name as entity_name, e.n, {_RESTING},
           i.resolved_at is not null and i.fingerprint is distinct from f.fingerprint and not exists (
             select 1 from alert_counts c where c.rule_id = r.id and c.entity_id = e.entity_id
                and c.bucket > i.resolved_at - interval '10 seconds') as told
      from alert_rules r join orgs o on o.id = r.org_id and o.status = 'active'
      cross join lateral (
        select each.entity_id, cast(sum(each.n) as int) as n from (
          select c.entity_id, c.n from alert_counts c
           where c.rule_id = r.id and c.bucket > cast(:now as timestamptz) - {_WINDOW} and c.bucket <= :now
          union all
          select split_part(f.fingerprint, ':', 2), 0 from alert_firings f where f.rule_id = r.id and {_LIVE}) each
         group by 1) e
      join server_instances s on s.id = cast(e.entity_id as uuid) and s.org_id = r.org_id and s.deleted_at is null
      join hosts h on h.id = s.host_id
      {_SEEN.format(entity="s.id")}
     where r.type = 'log_keyword' and r.enabled and ({_LIVE} or e.n >= coalesce({_NUMBER.format(name="threshold")}, 1))""")


@dataclass(frozen=True)
class Watched:
    """A rule, an entity, and what the rule has seen of it so far."""

    rule_id: UUID
    org_id: UUID
    guild_id: int
    rule_name: str
    type: str
    condition: dict[str, Any]
    severity: Literal["low", "med", "high"]
    cooldown_seconds: int
    creates_incident: bool
    auto_resolve: bool
    last_error: str | None
    host_id: UUID
    host_name: str
    server_id: UUID | None
    entity_name: str
    firing_id: int | None
    firing_status: Literal["none", "pending", "firing", "resolved"]
    pending_since: datetime | None
    clear_since: datetime | None
    last_notified_at: datetime | None
    incident_id: UUID | None
    incident_status: str | None
    incident_closed_at: datetime | None
    own_incident: bool
    """False: it is folded into that of its host."""
    resting: str
    """Why nothing that it does is news now, such as `in maintenance`; empty: it is."""

    @property
    def fingerprint(self) -> str:
        """What it is about; parameters never enter it, so an edited rule keeps its incident."""
        return f"{self.type}:{self.server_id or self.host_id}"


@dataclass(frozen=True)
class WatchedHost(Watched):
    """A host that is silent, or was."""

    last_heartbeat_at: datetime | None
    has_key: bool


@dataclass(frozen=True)
class WatchedServer(Watched):
    """A server that is not as people want it, or was not."""

    status: str
    desired_state: str
    last_seen_at: datetime | None
    reachable: bool
    note: str
    crashed_since: bool
    """It has crashed since it was last seen so, of its own accord; it may be up again."""
    busy: bool
    """A job is at work on it."""
    silent: bool
    """Its host has not spoken of it for some time: what is known is old."""


@dataclass(frozen=True)
class WatchedRuns(Watched):
    """A server and its last runs, newest first: type, status, number, and when it ended (`at`, seconds since 1970)."""

    since: datetime
    """When the rule was switched on, or the incident of its host ended that the last failure was part of: what ended before
    is none of its business."""
    runs: list[dict[str, Any]]


@dataclass(frozen=True)
class WatchedLines(Watched):
    """A server and how many lines of its log matched within the rule's window."""

    n: int
    told: bool
    """They were part of an incident of its host that has ended; since then there was none."""


async def hosts(session: AsyncSession, now: datetime) -> list[WatchedHost]:
    return every(WatchedHost, await session.execute(_HOSTS, {"now": now}))


async def servers(session: AsyncSession, now: datetime) -> list[WatchedServer]:
    return every(WatchedServer, await session.execute(_DOWN, {"now": now}))


async def runs(session: AsyncSession, since: datetime, now: datetime) -> list[WatchedRuns]:
    """`since`: how far back a failed job makes its server worth a look."""
    return every(WatchedRuns, await session.execute(_RUNS, {"since": since, "now": now}))


async def lines(session: AsyncSession, now: datetime) -> list[WatchedLines]:
    return every(WatchedLines, await session.execute(_LINES, {"now": now}))
