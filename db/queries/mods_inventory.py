"""The mods that servers have, as their hosts last said."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

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
