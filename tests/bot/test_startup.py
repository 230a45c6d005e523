"""What a start writes: everything into an empty database, and nothing where today's start has written it."""

import gc
from datetime import timedelta

import pytest
from sqlalchemy import TextClause, text

from bot import clock
from bot.domain.actors import system
from bot.errors import Conflict
from bot.startup import collect_garbage, postpone_garbage, prepare
from db.engine import Database
from tests.database import TestServer

FORGET = text("/* test.forget */ update permissions set description = 'x' where name = 'servers.view'")
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


async def test_the_first_start_of_a_day_seeds(database_url: str, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await prepare(database_url, may_migrate=False)
    described, days = await value(db, DESCRIPTION), await value(db, PARTITIONS)
    async with db.uow(system("test")) as tx:
        await tx.session.execute(FORGET)
    await prepare(database_url, may_migrate=False)
    assert await value(db, DESCRIPTION) == "x", "the second start writes nothing"
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    await prepare(database_url, may_migrate=False)
    assert await value(db, DESCRIPTION) == described
    assert isinstance(days, int) and await value(db, PARTITIONS) == days + 1


def test_garbage_is_collected_again_after_the_start() -> None:
    postpone_garbage()
    assert not gc.isenabled()
    collect_garbage()
    assert gc.isenabled() and gc.get_freeze_count()
    gc.unfreeze()
