"""What `/access` writes: bindings, roles and exceptions of single people; and what its guards ask."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# Not `for update`: that would stop every insert of a row that refers to the org.
_LOCK = text("/* access_write.lock */ select 1 from orgs where id = :org for no key update")

_HAS = """exists (select 1 from role_permissions rp join permissions p on p.id = rp.permission_id
                      where rp.role_id = {role} and p.name = 'users.permissions')"""
_ADMINISTERED = text(f"""/* access_write.administered */
    select exists (
      select 1 from role_bindings b join orgs o on o.id = b.org_id
       where b.org_id = :org and b.server_instance_id is null and b.tag is null
         and b.discord_role_id <> o.discord_guild_id and b.discord_role_id <> all(cast(:without as bigint[]))
         and {_HAS.format(role="b.role_id")})
    or exists (
      select 1 from user_orgs m join users u on u.id = m.user_id and u.forgotten_at is null
       where m.org_id = :org and {_HAS.format(role="m.role_id")}
         and not exists (
           select 1 from user_permissions x join permissions p on p.id = x.permission_id
            where x.org_id = m.org_id and x.user_id = m.user_id and x.server_instance_id is null and not x.granted
              and p.name = 'users.permissions' and (x.expires_at is null or x.expires_at > :now)))""")

_BOUND = text("""/* access_write.bound */
    select role_id from role_bindings
     where org_id = :org and discord_role_id = :discord_role
       and server_instance_id is not distinct from cast(:server as uuid) and tag is not distinct from cast(:tag as text)""")
_BIND = text("""/* access_write.bind */
    insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id, tag, created_by_id, created_at)
    values (:org, :discord_role, :role, cast(:server as uuid), cast(:tag as text), cast(:by as uuid), :now)
    on conflict (org_id, discord_role_id, server_instance_id, tag)
    do update set role_id = excluded.role_id, created_by_id = excluded.created_by_id, created_at = excluded.created_at""")
_UNBIND = text("""/* access_write.unbind */
    delete from role_bindings
     where org_id = :org and discord_role_id = :discord_role
       and server_instance_id is not distinct from cast(:server as uuid) and tag is not distinct from cast(:tag as text)""")

_FORGET = text("""/* access_write.forget */
    delete from role_bindings b using orgs o, roles r
     where o.id = b.org_id and r.id = b.role_id and o.discord_guild_id = :guild and b.discord_role_id = :discord_role
    returning o.id as org_id, r.name as role""")

_OWN_ROLE = text("/* access_write.own_role */ select role_id from user_orgs where org_id = :org and user_id = :user")
_SET_OWN_ROLE = text("""/* access_write.set_own_role */
    update user_orgs set role_id = cast(:role as uuid) where org_id = :org and user_id = :user""")

_SERVER_ROLES = text("""/* access_write.server_roles */
    select x.server_instance_id as server_id, x.role_id, x.expires_at
      from user_server_roles x join server_instances s on s.id = x.server_instance_id and s.deleted_at is null
     where x.org_id = :org and x.user_id = :user and (x.expires_at is null or x.expires_at > :now)
     order by lower(s.name)""")
_SET_SERVER_ROLE = text("""/* access_write.set_server_role */
    insert into user_server_roles (org_id, user_id, server_instance_id, role_id, granted_by_id, granted_at, expires_at)
    values (:org, :user, :server, :role, cast(:by as uuid), :now, cast(:until as timestamptz))
    on conflict (user_id, server_instance_id) do update set role_id = excluded.role_id,
        granted_by_id = excluded.granted_by_id, granted_at = excluded.granted_at, expires_at = excluded.expires_at""")
_CLEAR_SERVER_ROLES = text("""/* access_write.clear_server_roles */
    delete from user_server_roles
     where org_id = :org and user_id = :user and server_instance_id = any(cast(:servers as uuid[]))""")

_OVERRIDES = text("""/* access_write.overrides */
    select x.id, p.name as permission, x.server_instance_id as server_id, x.granted, x.reason, x.expires_at
      from user_permissions x join permissions p on p.id = x.permission_id
      left join server_instances s on s.id = x.server_instance_id
     where x.org_id = :org and x.user_id = :user and (x.expires_at is null or x.expires_at > :now)
       and s.deleted_at is null
     order by p.name, lower(s.name) nulls first""")
_SET_OVERRIDE = text("""/* access_write.set_override */
    insert into user_permissions (org_id, user_id, permission_id, server_instance_id, granted, reason, granted_by_id,
                                  granted_at, expires_at)
    select :org, :user, p.id, cast(:server as uuid), :granted, cast(:reason as text), cast(:by as uuid), :now,
           cast(:until as timestamptz)
      from permissions p where p.name = :permission
    on conflict (org_id, user_id, permission_id, server_instance_id) do update set granted = excluded.granted,
        reason = excluded.reason, granted_by_id = excluded.granted_by_id, granted_at = excluded.granted_at,
        expires_at = excluded.expires_at""")
_CLEAR_OVERRIDES = text("""/* access_write.clear_overrides */
    delete from user_permissions where org_id = :org and user_id = :user and id = any(cast(:ids as uuid[]))""")


@dataclass(frozen=True)
class PlacedRole:
    """A role of one person on one server."""

    server_id: UUID
    role_id: UUID
    expires_at: datetime | None


@dataclass(frozen=True)
class Exceptional:
    """An exception of one person; `server_id` None: everywhere."""

    id: UUID
    permission: str
    server_id: UUID | None
    granted: bool
    reason: str | None
    expires_at: datetime | None


async def lock(session: AsyncSession, org_id: UUID) -> None:
    """Whoever changes rights of the org now waits for the end of this transaction."""
    await session.execute(_LOCK, {"org": org_id})


async def administered(session: AsyncSession, org_id: UUID, now: datetime, *, without: Collection[int] = ()) -> bool:
    """Is there an administrator: a Discord role (but those `without`) that is bound, or a person who has a role, with
    `users.permissions` in the whole org?"""
    return bool(await session.scalar(_ADMINISTERED, {"org": org_id, "now": now, "without": sorted(without)}))


async def bound(
    session: AsyncSession, org_id: UUID, discord_role: int, server_id: UUID | None, tag: str | None
) -> UUID | None:
    """The role that a Discord role is bound to in a place."""
    values = {"org": org_id, "discord_role": discord_role, "server": server_id, "tag": tag}
    return await session.scalar(_BOUND, values)


async def bind(session: AsyncSession, values: dict[str, Any]) -> None:
    """Binds, in place of what was bound there. `values`: the names in `_BIND`."""
    await session.execute(_BIND, values)


async def unbind(
    session: AsyncSession, org_id: UUID, discord_role: int, server_id: UUID | None, tag: str | None
) -> None:
    values = {"org": org_id, "discord_role": discord_role, "server": server_id, "tag": tag}
    await session.execute(_UNBIND, values)


async def forget(session: AsyncSession, guild_id: int, discord_role: int) -> tuple[UUID | None, list[str]]:
    """Takes every binding of a Discord role away that is gone: the org, and the roles that were bound to it."""
    rows = (await session.execute(_FORGET, {"guild": guild_id, "discord_role": discord_role})).all()
    return (rows[0].org_id if rows else None), sorted(row.role for row in rows)


async def own_role(session: AsyncSession, org_id: UUID, user_id: UUID) -> UUID | None:
    """The role that somebody has themselves in the whole org."""
    return await session.scalar(_OWN_ROLE, {"org": org_id, "user": user_id})


async def set_own_role(session: AsyncSession, org_id: UUID, user_id: UUID, role_id: UUID | None) -> None:
    await session.execute(_SET_OWN_ROLE, {"org": org_id, "user": user_id, "role": role_id})


async def server_roles(session: AsyncSession, org_id: UUID, user_id: UUID, now: datetime) -> list[PlacedRole]:
    """The roles that somebody has on single servers."""
    rows = await session.execute(_SERVER_ROLES, {"org": org_id, "user": user_id, "now": now})
    return [PlacedRole(row.server_id, row.role_id, row.expires_at) for row in rows]


async def set_server_role(session: AsyncSession, values: dict[str, Any]) -> None:
    """In place of the one that they had there. `values`: the names in `_SET_SERVER_ROLE`."""
    await session.execute(_SET_SERVER_ROLE, values)


async def clear_server_roles(session: AsyncSession, org_id: UUID, user_id: UUID, servers: Collection[UUID]) -> None:
    await session.execute(_CLEAR_SERVER_ROLES, {"org": org_id, "user": user_id, "servers": list(servers)})


async def overrides(session: AsyncSession, org_id: UUID, user_id: UUID, now: datetime) -> list[Exceptional]:
    """The exceptions that count for somebody."""
    rows = await session.execute(_OVERRIDES, {"org": org_id, "user": user_id, "now": now})
    return [Exceptional(row.id, row.permission, row.server_id, row.granted, row.reason, row.expires_at) for row in rows]


async def set_override(session: AsyncSession, values: dict[str, Any]) -> None:
    """In place of one for the same permission there. `values`: the names in `_SET_OVERRIDE`."""
    await session.execute(_SET_OVERRIDE, values)


async def clear_overrides(session: AsyncSession, org_id: UUID, user_id: UUID, ids: Collection[UUID]) -> None:
    await session.execute(_CLEAR_OVERRIDES, {"org": org_id, "user": user_id, "ids": list(ids)})
