"""What decides what somebody may do: one statement for `Tx.require` and for the grants that an actor carries.

Break-glass (step 1) comes with the interaction and needs no statement. What has ended by `now` is left out; narrowed to a
permission and to servers it stays as small as the question, because every change asks it.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Decision, Grants, HeldRole, Override, Scope, ServerRole, Step
from bot.errors import NotPermitted

_HERE = "(cast(:servers as uuid[]) is null or {server} = any(cast(:servers as uuid[])))"
_ASKED = "(cast(:permission as text) is null or p.name = cast(:permission as text))"
_NO_BINDING = "cast(null as bigint) as discord_role_id, cast(null as uuid[]) as servers, cast(null as text) as tag"
_LIVE = "(x.expires_at is null or x.expires_at > :now)"
_OVERRIDES = f"""
    select 'override' as source, x.server_instance_id as server_id, x.expires_at, p.name as permission, x.granted, x.reason,
           (select coalesce(u.display_name, u.username) from users u where u.id = x.granted_by_id) as "by",
           null as role, null as priority, null as permissions, {_NO_BINDING}
      from user_permissions x join permissions p on p.id = x.permission_id
     where x.org_id = :org and x.user_id = cast(:user as uuid) and {_LIVE} and {_ASKED}
       and (x.server_instance_id is null or {_HERE.format(server="x.server_instance_id")})"""
_ROLES = f"""
      select 'server' as source, x.server_instance_id as server_id, x.expires_at, x.role_id, {_NO_BINDING}
        from user_server_roles x
       where x.org_id = :org and x.user_id = cast(:user as uuid) and {_LIVE}
         and {_HERE.format(server="x.server_instance_id")}
      union all
      select 'held', null, null, m.role_id, null, null, null
        from user_orgs m where m.org_id = :org and m.user_id = cast(:user as uuid)
      union all
      select 'held', null, null, b.role_id, b.discord_role_id,
             case when b.tag is not null then array(
                    select t.server_instance_id from server_tags t
                     where t.org_id = b.org_id and t.tag = b.tag and {_HERE.format(server="t.server_instance_id")})
                  when b.server_instance_id is not null then array[b.server_instance_id] end, b.tag
        from role_bindings b
       where b.org_id = :org and b.discord_role_id = any(cast(:roles as bigint[]))
         and (b.server_instance_id is null or {_HERE.format(server="b.server_instance_id")})"""
_LOAD = text(f"""/* access.load */ {_OVERRIDES}
    union all
    select h.source, h.server_id, h.expires_at, null, null, null, null, r.name, r.priority,
           array(select p.name from role_permissions rp join permissions p on p.id = rp.permission_id
                  where rp.role_id = r.id and {_ASKED}), h.discord_role_id, h.servers, h.tag
      from ({_ROLES}) h join roles r on r.id = h.role_id""")

_WITH = text("""/* access.roles_with */
    select r.name from roles r join role_permissions rp on rp.role_id = r.id join permissions p on p.id = rp.permission_id
     where r.org_id = :org and p.name = :permission order by r.priority, r.name""")


def covered(server: str) -> str:
    """A condition on a column with a server's id: it lies in a scope. See `scope_values`."""
    return f"(coalesce({server} = any(cast(:others as uuid[])), false) <> cast(:everywhere as boolean))"


def scope_values(scope: Scope) -> dict[str, Any]:
    """The parameters of `covered`."""
    return {"others": list(scope.others), "everywhere": scope.everywhere}


async def load(
    session: AsyncSession,
    org_id: UUID,
    user_id: UUID | None,
    role_ids: Collection[int],
    *,
    permission: str | None = None,
    servers: Collection[UUID] | None = None,
    now: datetime,
) -> Grants:
    """What somebody is granted in an org, without break-glass. `user_id` None: nothing of their own, Discord roles only.

    `permission`: enough to decide this one, roles come with nothing else in them. `servers`: enough to decide there and
    for the whole org; empty: for the whole org alone."""
    values = {
        "org": org_id,
        "user": user_id,
        "roles": sorted(role_ids),
        "permission": permission,
        "servers": None if servers is None else list(servers),
        "now": now,
    }
    rows: dict[str, list[Any]] = {"override": [], "server": [], "held": []}
    for row in await session.execute(_LOAD, values):
        rows[row.source].append(row)
    return Grants(
        overrides=tuple(map(_override, rows["override"])),
        server_roles=tuple(map(_server_role, rows["server"])),
        roles=tuple(map(_held, rows["held"])),
    )


def _override(row: Any) -> Override:
    return Override(
        permission=row.permission,
        granted=row.granted,
        server_id=row.server_id,
        expires_at=row.expires_at,
        by=row.by,
        reason=row.reason,
    )


def _server_role(row: Any) -> ServerRole:
    return ServerRole(
        server_id=row.server_id,
        role=row.role,
        priority=row.priority,
        permissions=frozenset(row.permissions),
        expires_at=row.expires_at,
    )


def _held(row: Any) -> HeldRole:
    return HeldRole(
        role=row.role,
        priority=row.priority,
        permissions=frozenset(row.permissions),
        discord_role_id=row.discord_role_id,
        servers=None if row.servers is None else frozenset(row.servers),
        tag=row.tag,
    )


async def roles_with(session: AsyncSession, org_id: UUID, permission: str) -> list[str]:
    """The roles of an org that have a permission, lowest first: what a refusal tells the person to ask for."""
    return list(await session.scalars(_WITH, {"org": org_id, "permission": permission}))


async def refusal(session: AsyncSession, org_id: UUID, permission: str, decision: Decision) -> NotPermitted:
    """A refusal that says what the person can do about it."""
    if exception := _exception(decision):
        return NotPermitted(permission, await roles_with(session, org_id, "users.permissions"), exception=exception)
    return NotPermitted(permission, await roles_with(session, org_id, permission))


def _exception(decision: Decision) -> str:
    match decision.because:
        case ServerRole(role=role):
            return f"On this server you have the role {role} in place of all others."
        case Override():
            where = "on this server" if decision.step is Step.SERVER_OVERRIDE else "everywhere"
            return f"An exception takes it from you {where}."
        case _:
            return ""
