"""Which seals are to be posted. What was posted is in the outbox, under `audit.seal:<number>`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

_MANY: Final = 1_000
"""Seals back to which the last one that was posted is looked for."""
_NEWEST: Final = "select * from audit_seals where org_id = {org} order by number desc limit 1"

# Of an old seal the row in the outbox has gone. The newest one is posted within minutes, or with the first after a break.
# The question for the channel is no join: it would be estimated so badly that a plan with a loop in a loop is chosen.
_DUE = text(f"""/* audit_posts.due */
    select o.id from orgs o cross join lateral ({_NEWEST.format(org="o.id")}) s
     where o.status = 'active' and s.sealed_at > now() - interval '1 day'
       and (select true from notification_channels where org_id = o.id and purpose = 'audit' and enabled limit 1)
       and not exists (
           select 1 from notification_jobs n where n.org_id = o.id and n.dedupe_key = 'audit.seal:' || s.number)""")

_NEWS = text(f"""/* audit_posts.news */
    with last as ({_NEWEST.format(org=":org")}),
    posted as (
      select r.number, n.created_at
        from (select org_id, number from audit_seals where org_id = :org order by number desc limit {_MANY}) r
        join notification_jobs n on n.org_id = r.org_id and n.dedupe_key = 'audit.seal:' || r.number
       order by r.number desc limit 1)
    select min(s.number) as first, last.number as last, sum(s.row_count) as rows, max(upper(s.ids)) - 1 as entry,
           last.hash, (select created_at from posted) as told
      from last join audit_seals s on s.org_id = last.org_id and s.number <= last.number
                                  and s.number > coalesce((select number from posted), last.number - 1)
     group by last.number, last.hash""")


@dataclass(frozen=True)
class News:
    """The seals since the last one that was posted."""

    first: int
    last: int
    rows: int
    entry: int
    """The highest id they name."""
    hash: bytes
    told: datetime | None
    """When the one before was posted, if that was not too long ago."""


async def orgs_with_news(session: AsyncSession) -> Sequence[UUID]:
    """Orgs with an audit channel whose newest seal was not posted."""
    return (await session.scalars(_DUE)).all()


async def news(session: AsyncSession, org_id: UUID) -> News | None:
    return one(News, await session.execute(_NEWS, {"org": org_id}))
