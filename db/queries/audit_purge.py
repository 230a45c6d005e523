"""Audit rows that were kept long enough: those of an org in whole seals, oldest first; those without an org one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# One index probe for each org with seals, whether the org is still there or not.
_DUE = text("""/* audit_purge.due */
    with recursive sealed as (
      select (select org_id from audit_seals where purged_at is null order by org_id limit 1) as id
      union all
      select (select org_id from audit_seals where purged_at is null and org_id > sealed.id order by org_id limit 1)
        from sealed where sealed.id is not null)
    select s.id as org_id, kept.before
      from sealed s left join orgs o on o.id = s.id
     cross join lateral (select cast(:now as timestamptz)
                              - make_interval(days => coalesce(o.audit_retention_days, :otherwise)) as before) kept
     where (select sealed_at from audit_seals where org_id = s.id and purged_at is null order by number limit 1) < kept.before
""")

_LOCK = text("/* audit_purge.lock */ select pg_try_advisory_xact_lock(hashtextextended('audit.purge:' || :org, 0))")

# The trigger lets rows go only where this is set, and it ends with the transaction.
_ALLOW = text("/* audit_purge.allow */ select set_config('app.audit_purge', 'on', true)")

_NEXT = text("""/* audit_purge.next */
    select number, row_count as rows, exists (
             select 1 from unnest(ids) r join audit_logs a on a.id >= lower(r) and a.id < upper(r)
              where (a.org_id = s.org_id or a.org_id is null) and a.created_at >= :before) as young
      from audit_seals s where org_id = :org and purged_at is null and sealed_at < :before order by number limit :limit""")

# Rows have lost their org where it was purged, and only there.
_ROWS = text("""/* audit_purge.rows */
    delete from audit_logs a using (
        select unnest(ids) as r from audit_seals where org_id = :org and number between :first and :last) s
     where a.id >= lower(s.r) and a.id < upper(s.r) and (a.org_id = :org or a.org_id is null) returning 1""")

_MARK = text("""/* audit_purge.mark */
    update audit_seals set purged_at = :now where org_id = :org and number between :first and :last""")

# By id, because that is nearly the order of time: it ends at the first batch that has younger ones.
_LOOSE = text("""/* audit_purge.loose */
    delete from audit_logs where id in (
      select id from (select id, created_at from audit_logs where org_id is null order by id limit :limit) oldest
       where created_at < :before)
    returning 1""")


@dataclass(frozen=True)
class Due:
    """An org with seals whose time is over."""

    org_id: UUID
    before: datetime


@dataclass(frozen=True)
class OldSeal:
    """A seal that was made long enough ago."""

    number: int
    rows: int
    young: bool
    """One of its rows says that it is younger."""


async def due(session: AsyncSession, now: datetime, otherwise: int) -> Sequence[Due]:
    """`otherwise`: days, for orgs that are gone."""
    return every(Due, await session.execute(_DUE, {"now": now, "otherwise": otherwise}))


async def lock(session: AsyncSession, org_id: UUID) -> bool:
    """Until the end of the transaction nobody else removes seals of this org; False: somebody else is at it."""
    return bool(await session.scalar(_LOCK, {"org": str(org_id)}))


async def oldest(session: AsyncSession, due: Due, limit: int) -> Sequence[OldSeal]:
    """The next ones, oldest first."""
    return every(OldSeal, await session.execute(_NEXT, {"org": due.org_id, "before": due.before, "limit": limit}))


async def remove(session: AsyncSession, org_id: UUID, first: int, last: int, now: datetime) -> int:
    """Removes the rows of these seals and marks them; how many rows there were."""
    which = {"org": org_id, "first": first, "last": last}
    await session.execute(_ALLOW)
    rows = len((await session.execute(_ROWS, which)).all())
    await session.execute(_MARK, {**which, "now": now})
    return rows


async def remove_loose(session: AsyncSession, before: datetime, limit: int) -> int:
    """Removes at most `limit` rows without an org that are older; how many there were."""
    await session.execute(_ALLOW)
    return len((await session.execute(_LOOSE, {"before": before, "limit": limit})).all())
