"""Which seals are to be posted. What was posted is in the outbox, under `audit.seal:<number>`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import one

_POSTED: Final = (
    "select 1 from notification_jobs n where n.org_id = {s}.org_id and n.dedupe_key = 'audit.seal:' || {s}.number"
)

# Of an old seal the row in the outbox has gone. The newest one is posted within minutes, or with the first one after a break.
_DUE = text(f"""/* audit_posts.due */
    select o.id from orgs o
      cross join lateral (select * from audit_seals where org_id = o.id order by number desc limit 1) s
     where o.status = 'active' and s.sealed_at > now() - interval '1 day'
       and exists (select 1 from notification_channels c where c.org_id = o.id and c.purpose = 'audit' and c.enabled)
       and not exists ({_POSTED.format(s="s")})
       and not exists (select 1 from audit_seals r where r.org_id = o.id and r.number > s.number - :many
                          and exists ({_POSTED.format(s="r")} and n.created_at > :recent))""")

_NEWS = text(f"""/* audit_posts.news */
    with last as (select * from audit_seals where org_id = :org order by number desc limit 1),
    posted as (
      select r.number from audit_seals r, last where r.org_id = :org and r.number > last.number - :many
         and exists ({_POSTED.format(s="r")}) order by r.number desc limit 1)
    select min(s.number) as first, last.number as last, sum(s.row_count) as rows, max(upper(s.ids)) - 1 as entry, last.hash
      from last join audit_seals s on s.org_id = last.org_id and s.number <= last.number
                                  and s.number > coalesce((select number from posted), last.number - 1)
     group by last.number, last.hash""")

_MANY: Final = 1_000
"""Seals back to which the last one that was posted is looked for."""


@dataclass(frozen=True)
class News:
    """The seals since the last one that was posted."""

    first: int
    last: int
    rows: int
    entry: int
    """The highest id they name."""
    hash: bytes


async def orgs_with_news(session: AsyncSession, recent: datetime) -> Sequence[UUID]:
    """Orgs whose newest seal was not posted, and that were told nothing since `recent`."""
    return (await session.scalars(_DUE, {"recent": recent, "many": _MANY})).all()


async def news(session: AsyncSession, org_id: UUID) -> News | None:
    return one(News, await session.execute(_NEWS, {"org": org_id, "many": _MANY}))
