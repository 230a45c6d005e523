"""Facts for `/setup check`: what an org has, what it is owed, and how the installation as a whole does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.checks_access import LEADS, AuditFacts
from bot.domain.checks_discord import Binding, Target
from bot.domain.checks_hosts import HostFact
from bot.domain.checks_inside import FailedTick, OutboxFacts, StuckJob
from db.rows import every

_TARGETS = text("""/* checks.targets */
    select cast(c.id as text) as id, 'channel' as kind, c.purpose, c.name, c.discord_channel_id as channel_id,
           case when not c.enabled then coalesce(c.disabled_reason, 'no reason is known') end as disabled_reason
      from notification_channels c where c.org_id = :org and c.type = 'discord_channel'
    union all
    select cast(m.id as text), 'panel', '', case when m.subject_id = 'all' then 'of all servers'
             when m.subject_id like 'tag:%' then substr(m.subject_id, 5) else coalesce(s.name, 'of a removed server') end,
           m.channel_id, m.disabled_reason
      from bot_messages m
      left join server_instances s on s.org_id = m.org_id and s.deleted_at is null and m.subject_id = 'server:' || s.id
     where m.org_id = :org and m.kind = 'panel' and m.disabled_reason is distinct from 'removed'
     order by 2, 3, 4, 1""")

_BINDINGS = text("""/* checks.bindings */
    select b.discord_role_id, r.name as role, num_nonnulls(b.server_instance_id, b.tag) = 0 as everywhere, array(
             select p.name from role_permissions rp join permissions p on p.id = rp.permission_id
              where rp.role_id = r.id) as permissions
      from role_bindings b join roles r on r.id = b.role_id
     where b.org_id = :org order by r.priority desc, r.name, b.created_at""")

_LEADS = text("""/* checks.explicit_leads */
    select count(*) from user_orgs m join role_permissions rp on rp.role_id = m.role_id
      join permissions p on p.id = rp.permission_id where m.org_id = :org and p.name = :leads""")

# Ids commit out of order, so the last seal alone may end before the one before it.
_AUDIT = text("""/* checks.audit */
    with sealed as (
      select number, upper(ids) as until from audit_seals where org_id = :org order by number desc limit 10)
    select (select a.created_at from audit_logs a
             where a.org_id = (select cast(:org as uuid)) and a.id >= coalesce((select max(until) from sealed), 0)
             order by a.id limit 1) as unsealed_since,
           coalesce((select max(number) from sealed), 0) as seals,
           (select a.created_at from audit_logs a where a.org_id = :org and a.action = 'audit.verify'
               and a.outcome = 'success' order by a.id desc nulls last limit 1) as verified_at""")

_HOSTS = text("""/* checks.hosts */
    select h.name, h.status, coalesce(h.offline_since, h.last_heartbeat_at) as silent_since, exists (
             select 1 from api_keys k where k.host_id = h.id and k.kind = 'agent' and k.revoked_at is null
                and k.confirmed_at is not null and (k.expires_at is null or k.expires_at > now())) as paired,
           h.agent_version, cast(h.last_metrics ->> 'clockSkewSec' as float8) as skew_sec,
           cast(h.last_metrics ->> 'diskMb' as float8) / nullif(cast(h.last_metrics ->> 'diskTotalMb' as float8), 0)
             as disk_used,
           (select count(*) from server_instances s where s.host_id = h.id and s.deleted_at is null) as servers,
           (select count(*) from jobs j where j.host_id = h.id and j.status = 'queued') as waiting
      from hosts h where h.org_id = :org and h.deleted_at is null order by lower(h.name)""")

# An edit that comes late by design is not waiting yet. What was never posted in a channel that was switched off will not be.
_OUTBOX = text("""/* checks.outbox */
    with owed as (
      select n.last_error, n.status, case when n.op = 'post' then n.created_at else n.next_attempt_at end as since
        from notification_jobs n where n.org_id = :org and n.status in ('pending', 'processing')
         and (n.op = 'post' or n.next_attempt_at <= :now))
    select (select count(*) from owed) as waiting, (select min(since) from owed) as oldest,
           (select last_error from owed where last_error is not null order by since limit 1) as last_error,
           (select count(*) from notification_jobs n left join bot_messages m on m.id = n.bot_message_id
             where n.org_id = :org and n.op = 'post' and n.status = 'failed' and n.created_at > :since
               and m.disabled_reason is null and m.message_id is null and not exists (
                 select 1 from notification_channels c where c.org_id = :org and not c.enabled
                    and c.discord_channel_id = n.discord_channel_id)) as failed""")

_SEND = text("""/* checks.send_again */
    update notification_jobs n set status = 'pending', attempts = 0, next_attempt_at = :now, last_error = null
     where n.id in (
       select n.id from notification_jobs n left join bot_messages m on m.id = n.bot_message_id
        where n.org_id = :org and n.op = 'post' and n.status = 'failed' and n.created_at > :since
          and m.disabled_reason is null and m.message_id is null and not exists (
            select 1 from notification_channels c where c.org_id = :org and not c.enabled
               and c.discord_channel_id = n.discord_channel_id)
        order by n.id limit :most) returning n.id""")

_STUCK = text("""/* checks.stuck_jobs */
    select j.number, h.name as host, greatest(j.created_at, j.not_before) as since
      from jobs j join hosts h on h.id = j.host_id
     where j.org_id = :org and j.status = 'queued' and greatest(j.created_at, j.not_before) < :before
       and h.status = 'online' and not exists (
         select 1 from jobs r where r.host_id = j.host_id and r.status = 'running')
     order by since limit 100""")

_FAILED = text("""/* checks.failed_ticks */
    select job_name as name, count(*) as times from cron_runs
     where status = 'failure' and started_at > :since group by job_name order by job_name""")

_SERVER = text("""/* checks.server */
    select current_setting('server_version') as version, pg_database_size(current_database()) as bytes,
           (select count(*) from pg_stat_activity where datname = current_database()) as connections,
           cast(current_setting('max_connections') as int) as most_connections, clock_timestamp() as now,
           (select version_num from alembic_version) as revision""")

_PING = text("/* checks.ping */ select 1")

_ORPHANED = text("""/* checks.orphaned */
    select duty from leases where duty = any(cast(:duties as text[])) and expires_at < now() - interval '15 seconds'
     order by duty""")

_FILES = text("""/* checks.newest_files */
    select file_ref from mod_artifacts where status = 'ready' and file_ref is not null order by created_at desc limit 500""")

RETRIED_FOR = timedelta(days=1)
"""Nobody wants to read what is older."""
_MOST = 200


@dataclass(frozen=True)
class Server:
    """The database server as it describes itself."""

    version: str
    bytes: int
    connections: int
    most_connections: int
    now: datetime
    revision: str | None


async def targets(session: AsyncSession, org_id: UUID) -> list[Target]:
    """Where an org's messages go: channels by purpose, then boards."""
    return every(Target, await session.execute(_TARGETS, {"org": org_id}))


async def bindings(session: AsyncSession, org_id: UUID) -> list[Binding]:
    rows = await session.execute(_BINDINGS, {"org": org_id})
    return [Binding(row.discord_role_id, row.role, frozenset(row.permissions), row.everywhere) for row in rows]


async def explicit_leads(session: AsyncSession, org_id: UUID) -> int:
    """How many people have a role of their own that may give everything else."""
    return await session.scalar(_LEADS, {"org": org_id, "leads": LEADS}) or 0


async def audit(session: AsyncSession, org_id: UUID) -> AuditFacts:
    (found,) = every(AuditFacts, await session.execute(_AUDIT, {"org": org_id}))
    return found


async def hosts(session: AsyncSession, org_id: UUID) -> list[HostFact]:
    return every(HostFact, await session.execute(_HOSTS, {"org": org_id}))


async def outbox(session: AsyncSession, org_id: UUID, now: datetime) -> OutboxFacts:
    values = {"org": org_id, "now": now, "since": now - RETRIED_FOR}
    (found,) = every(OutboxFacts, await session.execute(_OUTBOX, values))
    return found


async def send_again(session: AsyncSession, org_id: UUID, now: datetime) -> int:
    """Lets what was given up within a day be tried again, the oldest first; how many messages."""
    values = {"org": org_id, "now": now, "since": now - RETRIED_FOR, "most": _MOST}
    return len((await session.execute(_SEND, values)).all())


async def stuck_jobs(session: AsyncSession, org_id: UUID, before: datetime) -> list[StuckJob]:
    """Jobs that their host could have taken since then, the longest waiting first."""
    return every(StuckJob, await session.execute(_STUCK, {"org": org_id, "before": before}))


async def failed_ticks(session: AsyncSession, since: datetime) -> list[FailedTick]:
    """What failed in any process. Of the installation, as the ticks are."""
    return every(FailedTick, await session.execute(_FAILED, {"since": since}))


async def server(session: AsyncSession) -> Server:
    (found,) = every(Server, await session.execute(_SERVER))
    return found


async def ping(session: AsyncSession) -> None:
    """A round trip and nothing else."""
    await session.execute(_PING)


async def orphaned(session: AsyncSession, duties: Sequence[str]) -> list[str]:
    """Those of the duties whose lease lapsed a while ago: somebody had them, and nobody has."""
    return list(await session.scalars(_ORPHANED, {"duties": list(duties)}))


async def newest_files(session: AsyncSession) -> list[str]:
    """References of the mods that were uploaded last, of the installation as a whole."""
    return list(await session.scalars(_FILES))
