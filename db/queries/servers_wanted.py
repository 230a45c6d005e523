"""What a host's agent has to know of its servers."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# One statement, so that the list belongs to its revision. A removed server stays until its host has removed it, too.
_OF_HOST = text("""/* servers_wanted.of_host */
    select h.servers_revision as revision, s.id, s.slug, g.slug as game, encode(s.template_sha256, 'hex') as template_sha256,
           s.vars, s.desired_state, s.restart_policy, s.config_revision, s.bans_revision,
           exists (select 1 from server_holds x where x.org_id = s.org_id and x.server_instance_id = s.id) as held
      from hosts h
      left join server_instances s on s.host_id = h.id
            and (s.deleted_at is null or exists (
                   select 1 from jobs j where j.server_instance_id = s.id and j.type = 'SERVER_REMOVE'
                      and j.status in ('held', 'queued', 'running')))
      left join game_types g on g.id = s.game_type_id
     where h.id = :host order by s.slug""")


async def of_host(session: AsyncSession, host_id: UUID) -> tuple[int, list[dict[str, Any]]]:
    """The revision, and the servers in the words of `wire.ServerSpec`."""
    rows = every(dict[str, Any], await session.execute(_OF_HOST, {"host": host_id}))
    revision = int(rows[0]["revision"]) if rows else 0
    return revision, [_spec(row) for row in rows if row["id"]]


def _spec(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: str(value) for name, value in row["vars"].items()}
    return {name: value for name, value in row.items() if name != "revision"} | {"vars": given}
