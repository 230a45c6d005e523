"""Adding, changing and removing servers, and what has to be known before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_TAKEN = text("""/* fleet.taken */
    select s.id, s.name, s.slug, s.port, s.vars from server_instances s
     where s.org_id = :org and s.host_id = :host and s.deleted_at is null""")

_LOCK = text("""/* fleet.lock */
    select 1 from server_instances where org_id = :org and id = :server and deleted_at is null for update""")

_ADD = text("""/* fleet.add */
    insert into server_instances (org_id, host_id, game_type_id, name, slug, template_sha256, vars, status, desired_state,
                                  port, created_at, updated_at, status_changed_at)
    select :org, :host, g.id, :name, :slug, :sha256, :vars, 'installing', 'stopped', :port, :now, :now, :now
      from game_types g where g.slug = :game returning id""").bindparams(bindparam("vars", type_=JSONB))

_EDIT = text("""/* fleet.edit */
    update server_instances set name = :name, vars = :vars, port = :port, config_revision = config_revision + 1,
           updated_at = :now where id = :server and org_id = :org and deleted_at is null""").bindparams(
    bindparam("vars", type_=JSONB)
)

_DESIRED = text("""/* fleet.desire */
    update server_instances set desired_state = :state, config_revision = config_revision + 1, updated_at = :now
     where id = :server and org_id = :org and desired_state <> :state""")

_REMOVE = text("""/* fleet.remove */
    update server_instances set deleted_at = :now, updated_at = :now, desired_state = 'stopped',
           config_revision = config_revision + 1 where id = :server and org_id = :org and deleted_at is null""")

_RAISE = text("""/* fleet.raise_revision */
    update hosts set servers_revision = servers_revision + 1, updated_at = :now where id = :host and org_id = :org""")


@dataclass(frozen=True)
class Taken:
    """What a server on a host already uses."""

    id: UUID
    name: str
    slug: str
    port: int | None
    vars: dict[str, str]


async def taken(session: AsyncSession, org_id: UUID, host_id: UUID) -> list[Taken]:
    """The live servers of a host."""
    return every(Taken, await session.execute(_TAKEN, {"org": org_id, "host": host_id}))


async def lock(session: AsyncSession, org_id: UUID, server_id: UUID) -> bool:
    """Holds a server's row; False where it was removed."""
    return await session.scalar(_LOCK, {"org": org_id, "server": server_id}) is not None


async def add(
    session: AsyncSession,
    *,
    org_id: UUID,
    host_id: UUID,
    game: str,
    name: str,
    slug: str,
    sha256: bytes | None,
    variables: Mapping[str, str],
    port: int | None,
    now: datetime,
) -> UUID:
    values = {"org": org_id, "host": host_id, "game": game, "name": name, "slug": slug, "sha256": sha256}
    return (await session.execute(_ADD, {**values, "vars": dict(variables), "port": port, "now": now})).scalar_one()


async def edit(
    session: AsyncSession,
    *,
    org_id: UUID,
    server_id: UUID,
    name: str,
    variables: Mapping[str, str],
    port: int | None,
    now: datetime,
) -> None:
    values = {"org": org_id, "server": server_id, "name": name, "vars": dict(variables), "port": port, "now": now}
    await session.execute(_EDIT, values)


async def desire(session: AsyncSession, org_id: UUID, server_id: UUID, state: str, now: datetime) -> None:
    """What people want: `running` or `stopped`."""
    await session.execute(_DESIRED, {"org": org_id, "server": server_id, "state": state, "now": now})


async def remove(session: AsyncSession, org_id: UUID, server_id: UUID, now: datetime) -> None:
    await session.execute(_REMOVE, {"org": org_id, "server": server_id, "now": now})


async def raise_revision(session: AsyncSession, org_id: UUID, host_id: UUID, now: datetime) -> None:
    """Tells the agent, with its next heartbeat, to fetch its servers again."""
    await session.execute(_RAISE, {"org": org_id, "host": host_id, "now": now})
