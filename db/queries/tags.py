"""The tags of servers, and what a tag brings to a server that has it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every

_OF = text("""/* tags.of */
    select tag from server_tags where org_id = :org and server_instance_id = :server order by tag""")
_COUNTED = text(f"""/* tags.counted */
    select t.tag, count(*) as servers from server_tags t
      join server_instances s on s.id = t.server_instance_id and s.deleted_at is null
     where s.org_id = :org and starts_with(t.tag, :start) and {covered("s.id")} group by t.tag order by t.tag limit 25""")
_ADD = text("""/* tags.add */
    insert into server_tags (org_id, server_instance_id, tag)
    select :org, :server, unnest(cast(:tags as text[])) on conflict do nothing""")
_REMOVE = text("""/* tags.remove */
    delete from server_tags
     where org_id = :org and server_instance_id = :server and tag = any(cast(:tags as text[]))""")

_BINDINGS = text("""/* tags.bindings */
    select b.tag, b.role_id, r.name as role, b.discord_role_id, b.discord_role_id = o.discord_guild_id as everyone
      from role_bindings b join roles r on r.id = b.role_id join orgs o on o.id = b.org_id
     where b.org_id = :org and b.tag = any(cast(:tags as text[])) order by b.tag, r.priority desc, b.discord_role_id""")
_SCHEDULES = text("""/* tags.schedules */
    select c.tag, c.name, array(select distinct t.job_type from schedule_tasks t where t.schedule_id = c.id) as job_types
      from schedules c
     where c.org_id = :org and c.tag = any(cast(:tags as text[]))
       and not exists (select 1 from schedule_exclusions x
                        where x.schedule_id = c.id and x.server_instance_id = :server)
     order by c.tag, lower(c.name)""")
_WINDOWS = text("""/* tags.windows */
    select tag, reason, starts_at, ends_at from maintenance_windows
     where org_id = :org and tag = any(cast(:tags as text[])) and ends_at > :now and ended_at is null order by starts_at""")


@dataclass(frozen=True)
class Bound:
    """Who holds a Discord role has a role of ours on the servers with a tag."""

    tag: str
    role_id: UUID
    role: str
    discord_role_id: int
    everyone: bool


@dataclass(frozen=True)
class Scheduled:
    """What is done by itself on the servers with a tag."""

    tag: str
    name: str
    job_types: list[str]


@dataclass(frozen=True)
class Window:
    """A maintenance window of a tag that is not over."""

    tag: str
    reason: str
    starts_at: datetime
    ends_at: datetime


async def of(session: AsyncSession, org_id: UUID, server_id: UUID) -> list[str]:
    """The tags of a server."""
    return list(await session.scalars(_OF, {"org": org_id, "server": server_id}))


async def counted(session: AsyncSession, org_id: UUID, start: str = "", *, scope: Scope) -> list[tuple[str, int]]:
    """The first tags of servers in a scope that begin like this, and how many of these servers have each."""
    values = {"org": org_id, "start": start, **scope_values(scope)}
    return [(row.tag, row.servers) for row in await session.execute(_COUNTED, values)]


async def add(session: AsyncSession, org_id: UUID, server_id: UUID, tags: Collection[str]) -> None:
    await session.execute(_ADD, {"org": org_id, "server": server_id, "tags": list(tags)})


async def remove(session: AsyncSession, org_id: UUID, server_id: UUID, tags: Collection[str]) -> None:
    await session.execute(_REMOVE, {"org": org_id, "server": server_id, "tags": list(tags)})


async def bindings(session: AsyncSession, org_id: UUID, tags: Collection[str]) -> list[Bound]:
    """The roles that are bound to these tags."""
    return every(Bound, await session.execute(_BINDINGS, {"org": org_id, "tags": list(tags)}))


async def schedules(session: AsyncSession, org_id: UUID, tags: Collection[str], server_id: UUID) -> list[Scheduled]:
    """The schedules for these tags, but those that leave the server out."""
    values = {"org": org_id, "tags": list(tags), "server": server_id}
    return every(Scheduled, await session.execute(_SCHEDULES, values))


async def windows(session: AsyncSession, org_id: UUID, tags: Collection[str], now: datetime) -> list[Window]:
    """Maintenance of these tags, under way or planned."""
    return every(Window, await session.execute(_WINDOWS, {"org": org_id, "tags": list(tags), "now": now}))
