"""The streams have a partition for every day that something may happen on."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.domain.actors import system
from db.engine import Database
from db.models import Event
from db.queries.partitions import ensure_partitions
from tests.db import rows

TODAY = date(2030, 2, 27)


async def made(db: Database, today: date, days: int = 7) -> list[str]:
    async with db.uow(system("partitions")) as tx:
        return await ensure_partitions(tx.session, today, days)


async def add(db: Database, when: datetime) -> None:
    async with db.uow(system("test")) as tx:
        tx.session.add(org := rows.org())
        tx.session.add(Event(org_id=org.id, source_type="host", source_id="x", event_type="online", ts=when))


async def test_yesterday_to_a_week_ahead_and_each_only_once(db: Database) -> None:
    days = await made(db, TODAY)
    assert (days[0], days[8], days[9], days[-1], len(days)) == (
        "events_p20300226",
        "events_p20300306",
        "logs_p20300226",
        "logs_p20300306",
        18,
    )
    assert await made(db, TODAY) == []
    assert await made(db, TODAY + timedelta(days=1)) == ["events_p20300307", "logs_p20300307"]


async def test_days_are_utc_days(db: Database) -> None:
    await made(db, TODAY, days=0)
    await add(db, datetime(2030, 2, 27, 23, 59, 59, 999999, tzinfo=UTC))
    async with db.read() as session:
        where = await session.scalar(text("select tableoid::regclass::text from events"))
    assert where == "events_p20300227"


async def test_what_has_no_day_is_refused(db: Database) -> None:
    with pytest.raises(IntegrityError, match="no partition"):
        await add(db, datetime(2031, 1, 1, tzinfo=UTC))


async def test_replicas_do_it_at_once_without_getting_into_each_others_way(db: Database) -> None:
    results = await asyncio.gather(*(made(db, TODAY) for _ in range(4)))
    assert sorted(len(names) for names in results) == [0, 0, 0, 18]
