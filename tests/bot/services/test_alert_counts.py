"""Lines of logs, counted for the rules that look for them."""

import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.domain.actors import system
from bot.domain.alert_conditions import LogKeyword
from bot.services import alert_counts
from bot.services.log_matching import check, matcher
from tests.bot.world import World

AT = datetime(2026, 11, 21, 5, 0, 0, tzinfo=UTC)
Lines = Sequence[tuple[datetime, str]]


async def rule(world: World, keyword: str, **values: Any) -> UUID:
    """An enabled rule that looks for a text."""
    condition = {"keyword": keyword, **values}
    return await world.value(
        """insert into alert_rules (org_id, name, type, condition, severity)
           values (:org, :name, 'log_keyword', cast(:condition as jsonb), 'med') returning id""",
        org=world.org_id,
        name=keyword,
        condition=json.dumps(condition),
    )


async def count(world: World, server: UUID, lines: Lines) -> None:
    async with world.db.uow(system("records", world.org_id)) as tx:
        await alert_counts.count(tx, world.org_id, server, lines)


async def counted(world: World, of: UUID) -> list[tuple[datetime, int]]:
    return [
        (at, n)
        for at, n in await world.rows("select bucket, n from alert_counts where rule_id = :id order by 1", id=of)
    ]


async def test_matches_are_added_up_in_buckets_of_ten_seconds(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    wanted = await rule(world, "out of memory")
    lines = [(AT + timedelta(seconds=seconds), f"Out of MEMORY {seconds}") for seconds in (0, 9.99, 10, 25)]
    await count(world, server, [*lines, (AT, "all is well")])
    await count(world, server, lines[:1])
    assert await counted(world, wanted) == [(AT, 3), (AT + timedelta(seconds=10), 1), (AT + timedelta(seconds=20), 1)]


async def test_only_enabled_rules_of_this_server_count(world: World) -> None:
    host, _ = await world.pair()
    server, other = await world.server(host), await world.server(host, "EU2")
    mine, elsewhere, off = await rule(world, "boom"), await rule(world, "Boom"), await rule(world, "BOOM")
    await world.rows("update alert_rules set server_instance_id = :server where id = :id", server=other, id=elsewhere)
    await world.rows("update alert_rules set enabled = false where id = :id", id=off)
    stranger = await World(world.db, guild=2002).found()
    foreign = await rule(stranger, "boom")
    await count(world, server, [(AT, "boom")])
    assert await counted(world, mine) == [(AT, 1)]
    assert await world.value("select count(*) from alert_counts") == 1, (elsewhere, off, foreign)


async def test_a_rule_that_cannot_be_read_keeps_no_line_away(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    broken = await rule(world, "(", regex=True)
    await rule(world, "x" * 300)
    fine = await rule(world, "boom")
    await count(world, server, [(AT, "boom (")])
    assert await counted(world, fine) == [(AT, 1)] and await counted(world, broken) == []


@pytest.mark.parametrize(
    ("condition", "line", "found"),
    [
        (LogKeyword("a.b"), "A.B", True),
        (LogKeyword("a.b"), "axb", False),
        (LogKeyword("a.b", case_sensitive=True), "A.B", False),
        (LogKeyword("a.b", regex=True), "xAxB", True),
        (LogKeyword("^a.b$", regex=True, case_sensitive=True), "aXb", True),
        (LogKeyword("Größe"), "GRÖßE", True),
        (LogKeyword("x"), "y" * 8192 + "x", False),
    ],
)
def test_what_matches(condition: LogKeyword, line: str, found: bool) -> None:
    assert matcher(condition)(line) is found


@pytest.mark.parametrize("expression", ["(", "[a", "(?=x)", r"\1", "", ".*", "a|"])
def test_expressions_that_are_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        check(LogKeyword(expression, regex=True))


def test_an_expression_that_would_take_python_for_ever_is_quick() -> None:
    condition = LogKeyword("(a+)+$", regex=True)
    check(condition)
    assert not matcher(condition)("a" * 5000 + "b")


SLOW = "(a|b)*a[ab]{180}c"
"""Linear, and a thousand times as slow as others."""


async def test_a_rule_that_takes_too_long_is_switched_off_and_keeps_no_line_away(world: World) -> None:
    host, _ = await world.pair()
    server = await world.server(host)
    slow = [await rule(world, SLOW, regex=True), await rule(world, SLOW + "?", regex=True)]
    fine = await rule(world, "all is well")
    chance = random.Random(1)
    lines = [(AT, "".join(chance.choices("ab", k=8192))) for _ in range(50)]
    began = time.thread_time()
    await count(world, server, [*lines, (AT, "all is well")])
    assert time.thread_time() - began < 1
    assert await counted(world, fine) == [(AT, 1)]
    stopped = await world.rows("select id, last_error from alert_rules where not enabled and created_by_id is null")
    errors = {id_: error for id_, error in stopped if id_ in slow}
    assert len(errors) == 2 and all("too long" in error for error in errors.values())
    assert (await world.audited())[-1] == "alert.stop"
