"""A community with a long audit log, beside many others with short ones."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.startup import prepare
from db import migrate

PEOPLE: Final = 11
SERVERS: Final = 4
"""So few that each has some hundred thousand rows: a page can lie deep whatever is looked for."""

_OTHERS: Final = """
    insert into orgs (discord_guild_id, name, created_at, updated_at)
    select 900000000 + n, 'Guild ' || n, now(), now() from generate_series(1, {orgs}) n"""

_PEOPLE: Final = """
    insert into users (discord_user_id, username, created_at, updated_at)
    select 800000000 + n, 'person-' || n, now(), now() from generate_series(1, {people}) n"""

# Every fifth row is another org's, and so are all of the last fiftieth: the big one has been quiet of late. Every tenth
# was refused; a minute has ten rows.
_ROWS: Final = """
    insert into audit_logs (org_id, discord_guild_id, actor_id, actor_type, actor_discord_id, action, outcome,
      resource_type, resource_id, command, options, details, error, correlation_id, interaction_id, channel_id,
      duration_ms, created_at)
    select o.id, 900000001, u.id, 'user', u.discord_user_id,
           (array['server.restart', 'server.stop', 'server.list', 'ban.add', 'ban.lift', 'help', 'status', 'players',
                  'job.list', 'console.run', 'audit.search', 'player.kick'])[1 + n % 12],
           case n % 10 when 3 then 'denied' when 7 then 'failed' else 'success' end,
           case when n % 3 = 0 then 'server' else 'job' end, md5((n % {servers})::text)::uuid::text,
           'server restart', jsonb_build_object('server', md5((n % {servers})::text), 'reason', 'lag since ' || n),
           case when n % 2 = 0 then '{{}}' else jsonb_build_object('number', n, 'jobId', md5(n::text)) end,
           case when n % 10 in (3, 7) then 'You need the permission `servers.restart` for this.' end,
           to_hex(n), n, 77, n % 300, now() - ({rows} - n) * interval '6 seconds'
      from generate_series({first}, {last}) n
      join numbered_orgs o on o.number = case when n % 5 = 0 or n > {busy} then 1 + n / 5 % ({orgs} - 1) else 0 end
      join numbered_users u on u.number = n % {people}
     order by n"""

_NUMBERED: Final = (
    """create temporary table numbered_orgs as
       select id, row_number() over (order by discord_guild_id) - 1 as number from orgs""",
    """create temporary table numbered_users as
       select id, discord_user_id, row_number() over (order by discord_user_id) - 1 as number from users""",
)
_PORTION: Final = 500_000


@dataclass(frozen=True)
class Log:
    """What was made."""

    org: UUID
    """The community with most of the rows."""
    own: int
    """How many those are."""


async def fill(url: str, *, rows: int, orgs: int) -> Log:
    """Makes a database with so many audit rows in all, as fast as it goes: without triggers, and with the indexes made
    at the end."""
    await prepare(url, may_migrate=True)
    busy = rows - rows // 50
    given = {"busy": busy, "orgs": orgs, "people": PEOPLE, "servers": SERVERS, "rows": rows}
    async with migrate.connected(url) as connection:
        for name, value in (("session_replication_role", "replica"), ("synchronous_commit", "off")):
            await connection.exec_driver_sql(f"set {name} = {value}")
        for statement in (_OTHERS, _PEOPLE, *_NUMBERED):
            await connection.exec_driver_sql(statement.format(**given))
        definitions = await _drop_indexes(connection)
        for first in range(1, rows + 1, _PORTION):
            portion = {"first": first, "last": min(first + _PORTION - 1, rows)}
            await connection.exec_driver_sql(_ROWS.format(**given, **portion))
        for definition in definitions:
            await connection.exec_driver_sql(definition)
        await connection.commit()
        org = (await connection.exec_driver_sql("select id from orgs order by discord_guild_id limit 1")).scalar_one()
        await connection.commit()
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).exec_driver_sql("vacuum analyze")
    return Log(org, busy - busy // 5)


async def _drop_indexes(connection: AsyncConnection) -> list[str]:
    """The definitions of the log's indexes, without the one of its key."""
    found = await connection.exec_driver_sql(
        "select indexname, indexdef from pg_indexes where tablename = 'audit_logs' and indexname !~ 'pkey'"
    )
    indexes: list[tuple[str, str]] = [(row.indexname, row.indexdef) for row in found]
    for name, _ in indexes:
        await connection.exec_driver_sql(f"drop index {name}")
    return [definition for _, definition in indexes]
