"""What happened to a server: jobs, actions that led to no job, and events that its host reported."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_SERVER = text("""/* history.of_server */
    select * from (
      select a.created_at as at, case when a.job_id is null then 'action' else 'job' end as source, a.action as what,
             a.outcome, coalesce(u.display_name, u.username) as who, j.number, a.details
        from server_actions a left join users u on u.id = a.user_id left join all_jobs j on j.id = a.job_id
       where a.org_id = :org and a.server_instance_id = :server
         and a.action not like '%.ask' -- a question that was put did nothing to the server
      union all
      select e.ts, 'event', e.event_type, '', e.payload ->> 'name', null, e.payload
        from events e
       where e.org_id = :org and e.source_type = 'server_instance' and e.source_id = cast(:server as text)
         and e.ts > now() - interval '90 days') h
     order by at desc limit :limit offset :offset""")


@dataclass(frozen=True)
class Happening:
    """One line of a server's history."""

    at: datetime
    source: str
    what: str
    outcome: str
    who: str | None
    number: int | None
    details: dict[str, Any]


async def of_server(
    session: AsyncSession, org_id: UUID, server_id: UUID, *, limit: int, offset: int
) -> list[Happening]:
    values = {"org": org_id, "server": server_id, "limit": limit, "offset": offset}
    return every(Happening, await session.execute(_SERVER, values))
