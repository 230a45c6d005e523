"""Who may do what: the statements behind `Tx.require` and the actor's look-up permissions.

Steps 1 (break-glass) and 6 (deny) of the decision need no statement; this is step 5: the union of the member's explicit role
and of every role bound to one of their Discord roles, for the org, the server or one of its tags.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.actors import Actor

_ROLES = """
    select b.role_id from role_bindings b
     where b.org_id = :org and b.discord_role_id = any(cast(:roles as bigint[]))
       and (b.server_instance_id is null or b.server_instance_id = {server})
       and (b.tag is null or b.tag in (select t.tag from server_tags t where t.server_instance_id = {server}))
    union
    select m.role_id from user_orgs m where m.org_id = :org and m.user_id = cast(:user as uuid) and m.role_id is not null
"""

_EXISTS = f"""exists (
      select 1 from role_permissions rp join permissions p on p.id = rp.permission_id
       where p.name = :permission and rp.role_id in ({_ROLES}))"""

_HAS = text(f"/* access.has_permission */ select {_EXISTS.format(server='cast(:server as uuid)')}")
_LACKING = text(f"""/* access.lacking */
    select s.id from unnest(cast(:servers as uuid[])) as s(id) where not {_EXISTS.format(server="s.id")}""")

_ALL = text("""/* access.permissions */
    select p.name from role_permissions rp join permissions p on p.id = rp.permission_id
     where rp.role_id in (
       select b.role_id from role_bindings b where b.org_id = :org and b.discord_role_id = any(cast(:roles as bigint[]))
       union
       select m.role_id from user_orgs m where m.org_id = :org and m.user_id = cast(:user as uuid) and m.role_id is not null)
     group by p.name""")

_WITH = text("""/* access.roles_with */
    select r.name from roles r join role_permissions rp on rp.role_id = r.id join permissions p on p.id = rp.permission_id
     where r.org_id = :org and p.name = :permission order by r.priority, r.name""")


def _values(org_id: UUID, user_id: UUID | None, role_ids: Collection[int], server_id: UUID | None) -> dict[str, Any]:
    return {"org": org_id, "user": user_id, "roles": sorted(role_ids), "server": server_id}


async def has_permission(session: AsyncSession, actor: Actor, permission: str, server_id: UUID | None) -> bool:
    """Does one of the actor's roles have it, here or on that server?"""
    values = _values(actor.org, actor.user_id, actor.role_ids, server_id)
    return bool(await session.scalar(_HAS, {**values, "permission": permission}))


async def lacking(session: AsyncSession, actor: Actor, permission: str, servers: Collection[UUID]) -> list[UUID]:
    """Those of the servers on which none of the actor's roles has it."""
    values = {"org": actor.org, "user": actor.user_id, "roles": sorted(actor.role_ids), "permission": permission}
    return list(await session.scalars(_LACKING, {**values, "servers": list(servers)}))


async def permissions_of(
    session: AsyncSession, org_id: UUID, user_id: UUID | None, role_ids: Collection[int]
) -> frozenset[str]:
    """Every permission that a member has somewhere in the org; a change asks again for the server that it is about."""
    return frozenset(await session.scalars(_ALL, {"org": org_id, "user": user_id, "roles": sorted(role_ids)}))


async def roles_with(session: AsyncSession, org_id: UUID, permission: str) -> list[str]:
    """The roles of an org that have a permission, lowest first: what a refusal tells the person to ask for."""
    return list(await session.scalars(_WITH, {"org": org_id, "permission": permission}))
