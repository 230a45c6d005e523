"""Seals as PostgreSQL sees them: alike on every version and with every setting, and computed without our code."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import text

from bot.domain.access import Grants
from bot.domain.actors import Actor, system
from bot.domain.seals import FIELDS
from bot.services.audit_seals import Sealing
from bot.services.audit_verify import AuditVerify
from bot.services.identity import Identity
from db.engine import Database
from db.queries import audit_verify
from tests.database import TestServer

OWN = {"id", "interaction_id"}
ROWS = (
    r"""insert into audit_logs (org_id, discord_guild_id, actor_type, actor_discord_id, action, outcome, resource_type,
          resource_id, command, options, details, error, correlation_id, interaction_id, channel_id, ip, duration_ms,
          created_at)
        values ('%s', 9223372036854775807, 'user', 1, 'server.restart', 'success', 'server', 'ä€𐍈 "x" \ ',
          E'two\nlines',
          '{"bb": 1.50, "a": [true, null, "\u00e9\u0001\"\\"], "z": {"y": 1e3, "x": -0.0}, "c": "once", "c": "last"}',
          '[]', '', 'ff', nextval('audit_logs_id_seq'), 0, '2001:DB8::1/64', -1, '2026-11-21 05:00:00.123456+00')""",
    """insert into audit_logs (org_id, action, outcome, resource_type, created_at)
       values ('%s', 'x', 'denied', 'none', '1969-12-31 23:59:59.999999+00')""",
)
OPTIONS = r'{"a": [true, null, "é\u0001\"\\"], "c": "last", "z": {"x": 0.0, "y": 1000}, "bb": 1.50}'
FIRST = (
    *("9223372036854775807", "user", "1", "server.restart", "success", "server", 'ä€𐍈 "x" \\ ', "two\nlines"),
    *(OPTIONS, "[]", "", "ff"),
    *("0", "2001:db8::1/64", "-1", "1795237200123456"),
)
SECOND = (
    *(None, "user", None, "x", "denied", "none", None, None),
    *("{}", "{}", None, None),
    *(None, None, None, "-1"),
)
SETTINGS = {
    "timezone": "Pacific/Chatham",
    "datestyle": "German, DMY",
    "extra_float_digits": "-15",
    "intervalstyle": "sql_standard",
    "bytea_output": "escape",
    "lc_numeric": "C",
}
VALUES = """array[id::text, discord_guild_id::text, actor_type, actor_discord_id::text, action, outcome, resource_type,
  resource_id, command, options::text, details::text, error, correlation_id, interaction_id::text, channel_id::text,
  ip::text, duration_ms::text, trunc(extract(epoch from created_at) * 1000000)::text]"""
WRITTEN = """(select string_agg(case when v is null then '-' else char_length(v) || ':' || v end, '' order by n)
  from unnest({}) with ordinality u(v, n))"""
TOLD = """array['gamekeeper.audit.1', org_id::text, number::text, ids::text, row_count::text,
  trunc(extract(epoch from sealed_at) * 1000000)::text, before, rows]"""
INDEPENDENT = f"""with made as (
    select s.*, lag(encode(hash, 'hex'), 1, repeat('0', 64)) over (order by number) as before,
           (select encode(sha256(convert_to(string_agg({WRITTEN.format(VALUES)}, '' order by id), 'UTF8')), 'hex')
              from audit_logs a where a.org_id = s.org_id and s.ids @> a.id) as rows
      from audit_seals s where org_id = '%s')
  select hash = sha256(convert_to({WRITTEN.format(TOLD)}, 'UTF8')) from made order by number"""


@pytest.fixture
async def there(server: TestServer) -> AsyncIterator[Database]:
    url = await server.create()
    found = Database(url)
    yield found
    await found.close()
    await server.drop(url)


@pytest.fixture
async def org(there: Database) -> UUID:
    """An org with two seals."""
    found = await Identity(there).guild_joined(1001, "Guild", 1)
    for _ in range(2):
        async with there.engine.connect() as connection:
            for statement in ROWS:
                await connection.exec_driver_sql(statement % found)
        await Sealing(there).tick()
    return found


async def test_rows_are_written_alike_on_every_version_with_every_setting(there: Database, org: UUID) -> None:
    async with there.uow(system("test")) as tx:
        rows = await audit_verify.rows(tx.session, org, 0, 100)
        for name, value in SETTINGS.items():
            await tx.session.execute(text("select set_config(:name, :value, true)"), {"name": name, "value": value})
        assert await audit_verify.rows(tx.session, org, 0, 100) == rows
    plain = [[value for value, name in zip(row, FIELDS, strict=True) if name not in OWN] for row in rows]
    assert [tuple(row) for row in plain if row[3] in ("server.restart", "x")] == [FIRST, SECOND] * 2


async def test_anybody_can_compute_seals_in_sql(there: Database, org: UUID) -> None:
    """Without a line of ours: what an auditor would do, and what the description of the form promises."""
    async with there.engine.connect() as connection:
        found = (await connection.exec_driver_sql(INDEPENDENT % org)).scalars().all()
    assert found == [True, True]
    owner = Actor(type="user", name="olga", org_id=org, grants=Grants(break_glass=True))
    verified = await AuditVerify(there).verify(owner)
    assert (verified.findings, verified.seals) == ([], 2)
