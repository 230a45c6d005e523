"""The mods that servers have, as their hosts last said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# The server's row is locked: two lists of one server come one after the other, the later one is what counts.
_OWN = text("""/* mods_inventory.own */
    select 1 from server_instances where id = :server and host_id = :host and org_id = :org and deleted_at is null
       for no key update""")

_DROP = text("/* mods_inventory.drop */ delete from server_mods where server_instance_id = :server and org_id = :org")

_ADD = text("""/* mods_inventory.add */
    insert into server_mods (server_instance_id, org_id, folder, state, name, version, author, website, config_files,
                             artifact_id, seen_at)
    select :server, :org, m.folder, m.state, m.name, m.version, m.author, m.website, m."configFiles",
           (select a.id from mod_artifacts a
             where a.org_id = :org and a.status = 'ready' and a.sha256 = decode(m.sha256, 'hex')
             order by lower(a.name) = lower(m.name) desc nulls last, a.created_at desc limit 1), :now
      from jsonb_to_recordset(cast(:mods as jsonb))
           as m(folder text, state text, name text, version text, author text, website text, "configFiles" jsonb, sha256 text)
    on conflict do nothing""").bindparams(bindparam("mods", type_=JSONB))

# What the host found and what was deployed, side by side: either may know of a mod that the other does not.
_OF_SERVER = text("""/* mods_inventory.of_server */
    with found as (
      select m.folder, m.state, m.name, m.version, lower(coalesce(a.name, m.name, m.folder)) as key
        from server_mods m left join mod_artifacts a on a.id = m.artifact_id
       where m.server_instance_id = :server and m.org_id = :org),
    wanted as (
      select d.mod_name as name, a.version, lower(d.mod_name) as key
        from mod_deployments d join mod_artifacts a on a.id = d.artifact_id
       where d.server_instance_id = :server and d.org_id = :org and d.status = 'active')
    select coalesce(w.name, f.name, f.folder) as name, f.version as found, w.version as wanted, f.state,
           (select n.version from mod_artifacts n
             where n.org_id = :org and n.status = 'ready' and lower(n.name) = w.key
             order by n.created_at desc, n.id limit 1) as newest
      from found f full join wanted w on w.key = f.key
     order by coalesce(w.key, f.key), f.state, f.folder limit :limit offset :offset""")


@dataclass(frozen=True)
class ModThere:
    """A mod of a server: as it was found there, as it was deployed, or both."""

    name: str
    found: str | None
    """The version that the host found; None: none, or one that it cannot read."""
    wanted: str | None
    """The version that was deployed; None: somebody else put it there."""
    state: str | None
    """None: the host found none."""
    newest: str | None


async def own(session: AsyncSession, *, host_id: UUID, org_id: UUID, server_id: UUID) -> bool:
    """Holds the row of one of the host's servers; False where it is not one."""
    return await session.scalar(_OWN, {"host": host_id, "org": org_id, "server": server_id}) is not None


async def put(
    session: AsyncSession, *, org_id: UUID, server_id: UUID, mods: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Replaces what is known of a server. `mods`: as `wire.ModFound` has them."""
    await session.execute(_DROP, {"server": server_id, "org": org_id})
    values = {"server": server_id, "org": org_id, "mods": list(mods), "now": now}
    await session.execute(_ADD, values)


async def of_server(
    session: AsyncSession, org_id: UUID, server_id: UUID, *, limit: int, offset: int = 0
) -> list[ModThere]:
    """By name; ask for one more than you show to know whether there is another page."""
    values = {"org": org_id, "server": server_id, "limit": limit, "offset": offset}
    return every(ModThere, await session.execute(_OF_SERVER, values))
