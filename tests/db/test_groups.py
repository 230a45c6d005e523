"""Audit rows of many look-ups in one statement: each caller waits for its own row, and answers for nobody else's."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.domain.actors import Actor, Invocation
from bot.errors import AlreadyHandled
from bot.services.identity import Identity
from db.engine import Database
from db.groups import LARGEST, GroupWriter

COUNT = text("/* test.count */ select count(*) from audit_logs")


def look_up(number: int) -> Actor:
    return Actor(type="user", name="ann", discord_id=7, invocation=Invocation(number, "server list", {"tag": "pvp"}))


async def count(db: Database) -> int:
    async with db.read() as session:
        return await session.scalar(COUNT)


async def test_those_who_come_meanwhile_make_the_next_group() -> None:
    groups: list[list[int]] = []
    going = asyncio.Event()

    async def write(rows: Sequence[int]) -> list[int]:
        groups.append(list(rows))
        await going.wait()
        return [row * 10 for row in rows]

    writer = GroupWriter(write)
    callers = [asyncio.create_task(writer.add(number)) for number in range(LARGEST + 6)]
    await asyncio.sleep(0)
    going.set()
    assert await asyncio.gather(*callers) == [number * 10 for number in range(LARGEST + 6)]
    assert [len(group) for group in groups] == [1, LARGEST, 5]
    assert await writer.add(1) == 10 and groups[-1] == [1]


async def test_each_row_is_there_when_its_caller_goes_on(db: Database) -> None:
    identity = Identity(db)
    actors = [look_up(number) for number in range(1, 41)]
    await asyncio.gather(*(identity.record(actor, "server list", "success", None) for actor in actors))
    assert all(actor.invocation and actor.invocation.recorded for actor in actors)
    async with db.read() as session:
        rows = (await session.execute(text("/* test.rows */ select * from audit_logs order by interaction_id"))).all()
    assert [row.interaction_id for row in rows] == list(range(1, 41))
    first = rows[0]
    assert (first.command, first.options, first.actor_discord_id) == ("server list", {"tag": "pvp"}, 7)
    assert (first.outcome, first.correlation_id, first.details) == ("success", "1", {})


async def test_the_second_delivery_of_an_interaction_stays_silent(db: Database) -> None:
    identity = Identity(db)
    twice = [look_up(1), look_up(2), look_up(1), look_up(2), look_up(3)]
    found = await asyncio.gather(
        *(identity.record(actor, "server list", "success", None) for actor in twice), return_exceptions=True
    )
    assert [type(one) for one in found].count(AlreadyHandled) == 2 and await count(db) == 3
    with pytest.raises(AlreadyHandled):
        await identity.record(look_up(3), "server list", "success", None)


async def test_a_row_that_is_refused_takes_no_other_with_it(db: Database) -> None:
    identity = Identity(db)
    strange = replace(look_up(3), type="nobody")  # type: ignore[arg-type]  # what a check of the table refuses
    actors = [look_up(1), look_up(2), strange, look_up(4)]
    found = await asyncio.gather(
        *(identity.record(actor, "server list", "success", None) for actor in actors), return_exceptions=True
    )
    assert [one is None for one in found] == [True, True, False, True]
    assert isinstance(found[2], DBAPIError) and await count(db) == 3


async def test_a_caller_that_is_gone_keeps_nobody_waiting(db: Database) -> None:
    identity = Identity(db)
    callers = [
        asyncio.create_task(identity.record(look_up(number), "server list", "success", None)) for number in range(1, 6)
    ]
    await asyncio.sleep(0)
    callers[2].cancel()
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert [one is None for one in found] == [True, True, False, True, True]
    assert await count(db) == 5
