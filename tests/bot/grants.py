"""Exceptions and roles of one server, written as `/access` writes them."""

from datetime import datetime
from uuid import UUID

from bot.domain.actors import Actor
from tests.bot.world import World


async def give(
    world: World,
    actor: Actor,
    permission: str,
    server: UUID | None = None,
    *,
    granted: bool = True,
    until: datetime | None = None,
) -> None:
    """An exception: everywhere, or on one server."""
    await world.rows(
        """insert into user_permissions (org_id, user_id, permission_id, server_instance_id, granted, expires_at)
           select :org, :user, id, :server, :granted, :until from permissions where name = :permission""",
        org=world.org_id,
        user=actor.user_id,
        server=server,
        permission=permission,
        granted=granted,
        until=until,
    )


async def deny(world: World, actor: Actor, permission: str, server: UUID | None = None) -> None:
    await give(world, actor, permission, server, granted=False)


async def put(world: World, actor: Actor, role: str, server: UUID, *, until: datetime | None = None) -> None:
    """A role that takes the place of every other one on that server."""
    await world.rows(
        """insert into user_server_roles (org_id, user_id, server_instance_id, role_id, expires_at)
           select :org, :user, :server, id, :until from roles where org_id = :org and name = :role""",
        org=world.org_id,
        user=actor.user_id,
        server=server,
        role=role,
        until=until,
    )


async def bind(world: World, discord_role: int, role: str, server: UUID | None = None, tag: str | None = None) -> None:
    """Members with the Discord role hold a role: everywhere, on one server, or on those with a tag."""
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id, tag)
           select :org, :discord, id, :server, :tag from roles where org_id = :org and name = :role""",
        org=world.org_id,
        discord=discord_role,
        role=role,
        server=server,
        tag=tag,
    )
