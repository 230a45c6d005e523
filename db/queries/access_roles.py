"""The roles of an org: what each may do, and how many hold it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every, one

_ROLES = """
    select r.id, r.name, r.description, r.priority, r.is_preset,
           array(select p.name from role_permissions rp join permissions p on p.id = rp.permission_id
                  where rp.role_id = r.id order by p.name) as permissions,
           (select count(*) from role_bindings b where b.role_id = r.id) as bindings,
           (select count(*) from user_orgs m where m.role_id = r.id) as people,
           (select count(*) from user_server_roles x where x.role_id = r.id
               and (x.expires_at is null or x.expires_at > :now)) as on_servers,
           exists (select 1 from role_bindings b join orgs o on o.id = b.org_id
                    where b.role_id = r.id and b.discord_role_id = o.discord_guild_id) as for_everyone
      from roles r where r.org_id = :org"""

_LIST = text(f"""/* access_roles.cards */ {_ROLES}
    and (cast(:words as text) is null or r.name ilike '%' || :words || '%')
    order by r.priority desc, lower(r.name), r.id limit :limit offset :offset""")
_ONE = text(f"""/* access_roles.card */ {_ROLES}
    and (r.id = cast(:id as uuid) or cast(:name as text) is not null and lower(r.name) = lower(:name))
    order by r.name = :name desc limit 1""")

_ADD = text("""/* access_roles.add */
    insert into roles (org_id, name, description, is_preset, priority, created_at, updated_at)
    values (:org, :name, :description, false, :priority, :now, :now) returning id""")

_EDIT = text("""/* access_roles.edit */
    update roles set name = :name, description = :description, priority = :priority, updated_at = :now
     where id = :id and org_id = :org""")

_TAKE = text("""/* access_roles.take */
    delete from role_permissions rp using permissions p, roles r
     where r.id = rp.role_id and r.org_id = :org and rp.role_id = :id and p.id = rp.permission_id
       and p.name = any(cast(:names as text[]))""")
_GIVE = text("""/* access_roles.give */
    insert into role_permissions (role_id, permission_id)
    select r.id, p.id from roles r, permissions p
     where r.id = :id and r.org_id = :org and p.name = any(cast(:names as text[])) on conflict do nothing""")

_OFF_PEOPLE = text(
    "/* access_roles.off_people */ update user_orgs set role_id = null where org_id = :org and role_id = :id"
)
_OFF_SERVERS = text(
    "/* access_roles.off_servers */ delete from user_server_roles where org_id = :org and role_id = :id"
)
_REMOVE = text("/* access_roles.remove */ delete from roles where id = :id and org_id = :org")


@dataclass(frozen=True)
class RoleCard:
    """A role with its permissions, and by how many it is held."""

    id: UUID
    name: str
    description: str
    priority: int
    is_preset: bool
    permissions: list[str]
    bindings: int
    """Discord roles that are bound to it, here or there."""
    people: int
    """Persons who have it themselves, in the whole org."""
    on_servers: int
    """Persons who have it on one server."""
    for_everyone: bool
    """Is it bound to @everyone?"""

    @property
    def in_use(self) -> bool:
        return bool(self.bindings or self.people or self.on_servers)


async def cards(
    session: AsyncSession, org_id: UUID, now: datetime, *, words: str = "", limit: int = 11, offset: int = 0
) -> list[RoleCard]:
    """Roles of an org, the highest first; ask for one more than you show."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") or None
    values = {"org": org_id, "now": now, "words": like, "limit": limit, "offset": offset}
    return every(RoleCard, await session.execute(_LIST, values))


async def card(
    session: AsyncSession, org_id: UUID, now: datetime, *, role_id: UUID | None = None, name: str | None = None
) -> RoleCard | None:
    """One role, by id or by its name (case does not count)."""
    values = {"org": org_id, "now": now, "id": role_id, "name": name}
    return one(RoleCard, await session.execute(_ONE, values))


async def add(session: AsyncSession, org_id: UUID, name: str, description: str, priority: int, now: datetime) -> UUID:
    """A new role that may do nothing yet."""
    values: dict[str, Any] = {"org": org_id, "name": name, "description": description, "priority": priority, "now": now}
    return (await session.execute(_ADD, values)).scalar_one()


async def edit(
    session: AsyncSession, org_id: UUID, role_id: UUID, name: str, description: str, priority: int, now: datetime
) -> None:
    values = {"org": org_id, "id": role_id, "name": name, "description": description, "priority": priority, "now": now}
    await session.execute(_EDIT, values)


async def change_permissions(
    session: AsyncSession, org_id: UUID, role_id: UUID, *, given: Collection[str], taken: Collection[str]
) -> None:
    await session.execute(_TAKE, {"org": org_id, "id": role_id, "names": sorted(taken)})
    await session.execute(_GIVE, {"org": org_id, "id": role_id, "names": sorted(given)})


async def remove(session: AsyncSession, org_id: UUID, role_id: UUID) -> None:
    """Takes a role from everybody and everything that has it, and forgets it."""
    for statement in (_OFF_PEOPLE, _OFF_SERVERS, _REMOVE):
        await session.execute(statement, {"org": org_id, "id": role_id})
