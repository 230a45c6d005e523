"""The steps lead to the models, forth and back, with data in the tables, on every PostgreSQL that we support."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

import migrations
from bot.domain.actors import system
from bot.errors import Unavailable
from db import migrate
from db.engine import Database
from db.models import Base
from tests.database import TestServer
from tests.db import rows

CONSTRAINTS = "select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint"
INDEXES = "select indexdef from pg_indexes where schemaname = 'public' and tablename <> 'alembic_version'"
COLUMNS = """select concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, identity_generation)
  from information_schema.columns
 where table_schema = 'public'
   and table_name not in ('alembic_version', 'server_actions', 'all_jobs', 'all_job_runs')"""


@pytest.fixture
async def empty(server: TestServer) -> AsyncIterator[str]:
    url = await server.create(empty=True)
    yield url
    await server.drop(url)


async def described(url: str, query: str) -> set[str]:
    async with migrate.connected(url) as connection:
        found = set((await connection.execute(text(query))).scalars())
    return {line for line in found if "alembic_version" not in line}


async def test_the_steps_make_exactly_what_the_models_say(server: TestServer, empty: str) -> None:
    await migrate.upgrade(empty)
    await migrate.check(empty)
    modelled = await server.create(empty=True)
    async with migrate.connected(modelled) as connection:
        await connection.execute(text("create extension pg_trgm"))
        await connection.execute(text("create extension btree_gin"))
        await connection.run_sync(Base.metadata.create_all)
        await connection.commit()
    for query in (CONSTRAINTS, INDEXES, COLUMNS):
        assert await described(empty, query) == await described(modelled, query)


async def test_down_to_nothing_and_up_again(empty: str) -> None:
    await migrate.upgrade(empty)
    first = await described(empty, INDEXES)
    await migrate.downgrade(empty, "base")
    assert await described(empty, INDEXES) == set()
    await migrate.upgrade(empty)
    assert await described(empty, INDEXES) == first


async def test_every_step_back_and_forth_with_rows_in_every_table(server: TestServer) -> None:
    url = await server.create()
    await _fill(url)
    for step in reversed(migrate.revisions()[:-1]):
        await migrate.downgrade(url, step)
        assert await migrate.current(url) == step
    # the oldest tables and their rows are still there, and the steps find them
    await migrate.upgrade(url)
    assert await described(url, "select name from orgs") == {"Guild"}
    assert await described(url, "select name from server_instances") == {"Arena"}
    await migrate.check(url)
    await server.drop(url)


async def test_replicas_that_start_together_migrate_once(empty: str) -> None:
    await asyncio.gather(*(migrate.upgrade(empty) for _ in range(3)))
    assert await migrate.current(empty) == migrate.revisions()[-1]


async def test_what_is_behind_and_what_is_not(empty: str) -> None:
    assert await migrate.is_behind(empty)
    await migrate.upgrade(empty, migrate.revisions()[0])
    assert await migrate.is_behind(empty)
    await migrate.upgrade(empty)
    assert not await migrate.is_behind(empty)
    async with migrate.connected(empty) as connection:
        await connection.execute(text("update alembic_version set version_num = 'fromthefuture'"))
        await connection.commit()
    assert not await migrate.is_behind(empty), "the older replica runs on the newer schema"


def test_the_file_names_tell_the_order() -> None:
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    config.set_main_option("path_separator", "os")
    steps = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert migrate.revisions() == steps[::-1]


async def _fill(url: str) -> None:
    db = Database(url, role="workers")
    async with db.uow(system("test")) as tx:
        for row in rows.one_of_each():
            tx.session.add(row)
            await tx.session.flush()
    await db.close()


async def test_a_database_that_cannot_be_reached_is_an_error_with_a_remedy(postgres: TestServer) -> None:
    for url in ("postgresql://ann@127.0.0.1:1/x", postgres.server.dsn("no_such_database")):
        with pytest.raises(Unavailable, match="The database cannot be used") as refused:
            await migrate.current(url)
        assert "GAMEKEEPER_DATABASE_URL" in refused.value.remedy
