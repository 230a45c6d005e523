"""What is not kept for ever: old rows go in batches, so that no lock is held for long."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

#: What is deleted -> the statement; each takes `before` and `limit`.
_OLD: Final = {
    "cron_runs": text("""/* retention.cron_runs */
        delete from cron_runs where id in (select id from cron_runs where started_at < :before limit :limit) returning 1"""),
    "pairing_tokens": text("""/* retention.pairing_tokens */
        delete from pairing_tokens
         where id in (select id from pairing_tokens where created_at < :before limit :limit) returning 1"""),
    "pending_confirmations": text("""/* retention.pending_confirmations */
        delete from pending_confirmations
         where id in (select id from pending_confirmations where created_at < :before limit :limit) returning 1"""),
    "notification_jobs": text("""/* retention.notification_jobs */
        delete from notification_jobs
         where id in (select id from notification_jobs where status in ('sent', 'skipped', 'failed')
                         and created_at < :before limit :limit) returning 1"""),
    "alert_firings": text("""/* retention.alert_firings */
        delete from alert_firings
         where id in (select id from alert_firings where status = 'resolved' and resolved_at < :before limit :limit) returning 1"""),
    "alert_counts": text("""/* retention.alert_counts */
        delete from alert_counts where ctid = any(array(select ctid from alert_counts where bucket < :before limit :limit))
        returning 1"""),
    "rejected_mods": text("""/* retention.rejected_mods */
        delete from mod_artifacts
         where id in (select id from mod_artifacts where status = 'rejected' and updated_at < :before limit :limit) returning 1"""),
    "jobs": text("""/* retention.jobs */
        delete from jobs_archive where id in (select id from jobs_archive where finished_at < :before limit :limit)
        returning 1"""),
    "power_plans": text("""/* retention.power_plans */
        delete from power_plans where id in (select id from power_plans where ended_at < :before limit :limit) returning 1"""),
    "maintenance_windows": text("""/* retention.maintenance_windows */
        delete from maintenance_windows
         where id in (select id from maintenance_windows where ended_at < :before limit :limit) returning 1"""),
    "player_ips": text("""/* retention.player_ips */
        update player_sessions set ip = null
         where id in (select id from player_sessions where ip is not null and started_at < :before limit :limit) returning 1"""),
    # a kick by address names it; the job is kept longer than the address may be
    "job_ips": text("""/* retention.job_ips */
        update jobs set payload = payload #- '{identities,ip}'
         where id in (select id from jobs where payload -> 'identities' ? 'ip' and created_at < :before limit :limit)
        returning 1"""),
    "archived_ips": text("""/* retention.archived_ips */
        update jobs_archive set payload = payload #- '{identities,ip}'
         where id in (select id from jobs_archive where type = 'PLAYER_KICK' and payload -> 'identities' ? 'ip'
                         and created_at < :before limit :limit)
        returning 1"""),
}

_LOG_DAYS = text("""/* retention.log_days */
    select coalesce(min(log_retention_days), 7) as shortest, coalesce(max(log_retention_days), 7) as longest from orgs""")

_CRON_RUN = text("""/* cron_runs.write */
    insert into cron_runs (job_name, status, started_at, finished_at, duration_ms, meta_json)
    values (:name, :status, :started, :now, :duration, :meta)""").bindparams(bindparam("meta", type_=JSONB))


async def delete_old(session: AsyncSession, what: str, before: datetime, limit: int) -> int:
    """Deletes at most `limit` rows that are older; how many there were."""
    return len((await session.execute(_OLD[what], {"before": before, "limit": limit})).all())


async def log_days(session: AsyncSession) -> tuple[int, int]:
    """The shortest and the longest time that a guild keeps its logs, in days."""
    row = (await session.execute(_LOG_DAYS)).one()
    return row.shortest, row.longest


async def delete_lines(session: AsyncSession, partition: str, now: datetime, limit: int) -> int:
    """Deletes at most `limit` lines of one day that their guild keeps no longer; how many there were. `partition` is a
    name from `partitions.existing`."""
    statement = text(f"""/* retention.lines */
        delete from {partition} where ctid = any(array(
          select l.ctid from {partition} l join orgs o on o.id = l.org_id
           where l.ts < cast(:now as timestamptz) - make_interval(days => o.log_retention_days) limit :limit))
        returning 1""")
    return len((await session.execute(statement, {"now": now, "limit": limit})).all())


async def write_cron_run(
    session: AsyncSession,
    *,
    name: str,
    status: str,
    started: datetime,
    duration_ms: int,
    meta: dict[str, Any],
    now: datetime,
) -> None:
    values = {"name": name, "status": status, "started": started, "duration": duration_ms, "meta": meta, "now": now}
    await session.execute(_CRON_RUN, values)
