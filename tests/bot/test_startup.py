"""What a start writes: everything into an empty database; only partitions where this release has started before."""

from datetime import timedelta

import pytest
from sqlalchemy import TextClause, text

from bot import clock
from bot.domain.actors import system
from bot.errors import Conflict
from bot.services.state import State
from bot.startup import prepare, write_seed
from db.engine import Database
from tests.database import TestServer

EDIT = text("/* test.edit */ update permissions set description = 'x' where name = 'servers.view'")
DESCRIPTION = text("/* test.description */ select description from permissions where name = 'servers.view'")
PARTITIONS = text(r"/* test.partitions */ select count(*) from pg_class where relname ~ '^events_p\d+$'")


async def value(db: Database, statement: TextClause) -> object:
    async with db.read() as session:
        return await session.scalar(statement)


async def test_an_old_schema_is_migrated_only_where_that_was_asked_for(postgres: TestServer) -> None:
    url = await postgres.create(empty=True)
    with pytest.raises(Conflict, match="not at the version"):
        await prepare(url, may_migrate=False)
    await prepare(url, may_migrate=True)
    await prepare(url, may_migrate=False)
    await postgres.drop(url)


async def test_the_first_start_of_a_release_seeds(database_url: str, db: Database) -> None:
    await prepare(database_url, may_migrate=False)
    described = await value(db, DESCRIPTION)
    async with db.uow(system("test")) as tx:
        await tx.session.execute(EDIT)
    await prepare(database_url, may_migrate=False)
    assert await value(db, DESCRIPTION) == "x", "the second start writes nothing"
    await State(db).set("seed", "what another release wrote")
    await prepare(database_url, may_migrate=False)
    assert await value(db, DESCRIPTION) == described


async def test_whoever_asks_for_the_seed_gets_it(database_url: str, db: Database) -> None:
    await prepare(database_url, may_migrate=False)
    async with db.uow(system("test")) as tx:
        await tx.session.execute(EDIT)
    await write_seed(database_url)
    assert await value(db, DESCRIPTION) != "x"


async def test_every_start_makes_the_partitions_of_its_day(
    database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepare(database_url, may_migrate=False)
    days = await value(db, PARTITIONS)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    await prepare(database_url, may_migrate=False)
    assert isinstance(days, int) and await value(db, PARTITIONS) == days + 1
