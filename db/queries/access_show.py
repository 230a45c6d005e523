"""Who holds which role, for people to see."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import EVERYWHERE, Scope
from db.queries.access import covered, scope_values
from db.rows import every

UNSEEN: Final = "a server that you do not see"
"""What such a server is called."""
_NAME: Final = f"case when {covered('s.id')} then s.name else '{UNSEEN}' end"
_TOLD: Final = f"(cast(:everywhere as boolean) or s.id is not null and {covered('s.id')})"

_BINDINGS = text(f"""/* access_show.bindings */
    select b.role_id, r.name as role, b.discord_role_id, b.discord_role_id = o.discord_guild_id as everyone,
           case when s.id is not null then {_NAME} end as server_name, b.tag
      from role_bindings b join roles r on r.id = b.role_id join orgs o on o.id = b.org_id
      left join server_instances s on s.id = b.server_instance_id
     where b.org_id = :org and s.deleted_at is null and {_TOLD}
       and (cast(:ids as uuid[]) is null or b.role_id = any(cast(:ids as uuid[])))
       and (cast(:discord_role as bigint) is null or b.discord_role_id = :discord_role)
     order by r.priority desc, r.name, num_nonnulls(s.id, b.tag), b.tag, lower(s.name), b.discord_role_id""")

_HOLDERS = text(f"""/* access_show.holders */
    select h.role_id, coalesce(u.display_name, u.username) as name, u.discord_user_id as discord_id, h.server_name,
           h.expires_at
      from (select m.role_id, m.user_id, null as server_name, cast(null as timestamptz) as expires_at
              from user_orgs m
             where m.org_id = :org and m.role_id = any(cast(:ids as uuid[])) and cast(:everywhere as boolean)
            union all
            select x.role_id, x.user_id, {_NAME}, x.expires_at
              from user_server_roles x
              join server_instances s on s.id = x.server_instance_id and s.deleted_at is null
             where x.org_id = :org and x.role_id = any(cast(:ids as uuid[])) and {_TOLD}
               and (x.expires_at is null or x.expires_at > :now)) h
      join users u on u.id = h.user_id
     order by lower(h.server_name) nulls first, lower(coalesce(u.display_name, u.username)), u.id""")

_WHO_CAN = text("""/* access_show.who_can */
    select p.name as permission, r.name as role, r.priority,
           array(select b.discord_role_id from role_bindings b
                  where b.role_id = r.id and b.server_instance_id is null and b.tag is null
                  order by b.created_at) as discord_roles,
           (select count(*) from user_orgs m where m.role_id = r.id) as people
      from roles r join role_permissions rp on rp.role_id = r.id join permissions p on p.id = rp.permission_id
     where r.org_id = :org and p.name = any(cast(:permissions as text[])) order by r.priority desc, r.name""")

_SERVERS = text("""/* access_show.servers */
    select id, name from server_instances
     where org_id = :org and deleted_at is null and id = any(cast(:ids as uuid[])) order by lower(name)""")

_SERVERS_OF = text("""/* access_show.servers_of */
    select distinct s.id, s.name from user_server_roles x
      join server_instances s on s.id = x.server_instance_id and s.deleted_at is null
     where x.org_id = :org and x.role_id = :role and (x.expires_at is null or x.expires_at > :now) order by s.name""")

_TAGGED = text("""/* access_show.tagged */
    select s.id from server_instances s join server_tags t on t.server_instance_id = s.id
     where s.org_id = :org and s.deleted_at is null and t.tag = :tag""")

_ENDED = text("""/* access_show.ended */
    select x.server_instance_id is not null as on_server, x.granted, null as role, x.expires_at
      from user_permissions x join permissions p on p.id = x.permission_id
     where x.org_id = :org and x.user_id = cast(:user as uuid) and p.name = :permission and x.expires_at <= :now
       and (x.server_instance_id is null or x.server_instance_id = cast(:server as uuid))
    union all
    select true, null, r.name, x.expires_at from user_server_roles x join roles r on r.id = x.role_id
     where x.org_id = :org and x.user_id = cast(:user as uuid) and x.server_instance_id = cast(:server as uuid)
       and x.expires_at <= :now""")

_USER = text("/* access_show.user */ select id from users where discord_user_id = :discord_id")


@dataclass(frozen=True)
class Bound:
    """A Discord role and what it is bound to; neither server nor tag: in the whole org."""

    role_id: UUID
    role: str
    discord_role_id: int
    everyone: bool
    server_name: str | None
    tag: str | None


@dataclass(frozen=True)
class Holder:
    """A person who has a role themselves; `server_name` None: in the whole org."""

    role_id: UUID
    name: str
    discord_id: int | None
    server_name: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Able:
    """A role with a permission, the Discord roles that give it in the whole org, and how many have it themselves."""

    permission: str
    role: str
    priority: int
    discord_roles: list[int]
    people: int


@dataclass(frozen=True)
class Ended:
    """What counted for somebody until a while ago: an exception (`granted`), or the role on a server."""

    on_server: bool
    granted: bool | None
    role: str | None
    expires_at: datetime


async def bindings(
    session: AsyncSession,
    org_id: UUID,
    role_ids: Collection[UUID] | None = None,
    *,
    discord_role: int | None = None,
    scope: Scope = EVERYWHERE,
) -> list[Bound]:
    """What is bound to these roles, or to any; the whole org's first. `scope`: the servers that may be named; what is
    about the whole org or about others is only there where it holds for the whole org."""
    ids = None if role_ids is None else list(role_ids)
    values = {"org": org_id, "ids": ids, "discord_role": discord_role, **scope_values(scope)}
    return every(Bound, await session.execute(_BINDINGS, values))


async def holders(
    session: AsyncSession, org_id: UUID, role_ids: Collection[UUID], now: datetime, scope: Scope = EVERYWHERE
) -> list[Holder]:
    """Persons who have these roles themselves. `scope`: as for `bindings`."""
    values = {"org": org_id, "ids": list(role_ids), "now": now, **scope_values(scope)}
    return every(Holder, await session.execute(_HOLDERS, values))


async def who_can(session: AsyncSession, org_id: UUID, permissions: Collection[str]) -> list[Able]:
    """The roles with these permissions, the highest first."""
    return every(Able, await session.execute(_WHO_CAN, {"org": org_id, "permissions": list(permissions)}))


async def servers(session: AsyncSession, org_id: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of those that are still there, in order."""
    return {row.id: row.name for row in await session.execute(_SERVERS, {"org": org_id, "ids": list(ids)})}


async def servers_of(session: AsyncSession, org_id: UUID, role_id: UUID, now: datetime) -> dict[UUID, str]:
    """Where somebody has the role in place of all others."""
    rows = await session.execute(_SERVERS_OF, {"org": org_id, "role": role_id, "now": now})
    return {row.id: row.name for row in rows}


async def tagged(session: AsyncSession, org_id: UUID, tag: str) -> list[UUID]:
    """The servers with a tag."""
    return list(await session.scalars(_TAGGED, {"org": org_id, "tag": tag}))


async def ended(
    session: AsyncSession, org_id: UUID, user_id: UUID | None, permission: str, server_id: UUID | None, now: datetime
) -> list[Ended]:
    """What would have decided a permission there, had it not ended."""
    values = {"org": org_id, "user": user_id, "permission": permission, "server": server_id, "now": now}
    return every(Ended, await session.execute(_ENDED, values))


async def user(session: AsyncSession, discord_id: int) -> UUID | None:
    """Who that is here; None for somebody who has never used the bot."""
    return await session.scalar(_USER, {"discord_id": discord_id})
