"""Every record becomes exactly one row, in whatever order, however often and by whom at once batches are delivered."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from bot import clock
from bot.domain.streams import Cursor, Gap, Take, judge
from bot.errors import NotFound
from bot.services.agents import HostIdentity
from bot.services.records import OutOfStep
from tests.bot.world import World


class Agent:
    """Sends as the real one does: the oldest batch until it is answered, then the next one."""

    def __init__(self) -> None:
        self.lines = 0
        self.generation = 1
        self.seq = 0

    def next(self) -> tuple[int, int, str]:
        return self.generation, self.seq + 1, f"line {self.lines}"

    def answered(self, expected: int | None) -> None:
        if expected is None:
            self.seq += 1
            self.lines += 1
        else:
            self.seq = expected - 1


@given(st.lists(st.sampled_from(["arrives", "answer is lost", "twice", "bot restored", "late copy"]), max_size=60))
def test_the_rule_of_cursors(story: list[str]) -> None:
    """Each line once; a bot that was restored from a backup has lost what it had since, and nothing more."""
    agent, cursor, rows, sent = Agent(), Cursor(), list[str](), list[tuple[int, int, str]]()

    def deliver(batch: tuple[int, int, str]) -> int | None:
        nonlocal cursor
        match judge(cursor, batch[0], batch[1]):
            case Take(after):
                cursor = after
                rows.append(batch[2])
            case Gap(expected):
                return expected
            case _:
                pass
        return None

    for what in story:
        batch = agent.next()
        if what == "late copy" and sent:
            assert deliver(sent[-1]) is None
            continue
        if what == "bot restored" and cursor.last_seq:
            cursor = Cursor(cursor.generation, cursor.last_seq - 1)
            rows.pop()
            sent.clear()
            continue
        expected = deliver(batch)
        if what == "twice":
            expected = deliver(batch)
        if what != "answer is lost":
            agent.answered(expected)
        if expected is None:
            sent = [batch]
    assert max(Counter(rows).values(), default=1) == 1
    assert rows == sorted(rows, key=lambda row: int(row.split()[1]))


@given(st.integers(0, 3), st.integers(1, 5), st.integers(0, 3), st.integers(0, 5))
def test_every_batch_has_one_verdict(generation: int, seq: int, known: int, last: int) -> None:
    verdict = judge(Cursor(known, last), generation, seq)
    behind = last if generation == known else 0
    if generation < known or seq <= behind:
        assert not isinstance(verdict, Take | Gap)
    elif seq == behind + 1:
        assert verdict == Take(Cursor(generation, seq))
    else:
        assert verdict == Gap(behind + 1)


@pytest.fixture
async def host(world: World) -> HostIdentity:
    return (await world.pair())[0]


async def test_copies_that_arrive_at_once_are_written_once(world: World, host: HostIdentity) -> None:
    server = await world.server(host)

    def batch(seq: int) -> wire.Records:
        record = wire.LogRecord(ts=clock.now(), level="info", message=f"line {seq}")
        return wire.Records(server_id=server, stream="log", generation=1, seq=seq, records=[record] * 100)

    for seq in (1, 2, 3):
        accepted = await asyncio.gather(*(world.records.take(host, batch(seq)) for _ in range(5)))
        assert sorted(accepted) == [0, 0, 0, 0, 100]
    assert await world.rows("select message, count(*) from logs group by 1 order by 1") == [
        (f"line {seq}", 100) for seq in (1, 2, 3)
    ]
    with pytest.raises(OutOfStep) as raised:
        await world.records.take(host, batch(5))
    assert raised.value.expected == 4


async def test_streams_of_a_server_are_numbered_apart(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    record = wire.LogRecord(ts=clock.now(), level="warn", message="x")
    for stream in ("log", "event"):
        one = wire.Records.model_validate(
            {"server_id": server, "stream": stream, "generation": 1, "seq": 1, "records": [record]}
        )
        assert await world.records.take(host, one) == 1
    assert await world.rows("select stream, last_seq from log_cursors order by 1") == [("event", 1), ("log", 1)]


async def test_when_the_rows_cannot_be_written_the_cursor_stays(world: World, host: HostIdentity) -> None:
    server = await world.server(host)
    record = wire.LogRecord(ts=clock.now(), level="info", message="x")
    one = wire.Records(server_id=server, stream="log", generation=1, seq=1, records=[record])
    await world.rows("alter table logs add constraint no_x check (message <> 'x')")
    with pytest.raises(Exception, match="no_x"):
        await world.records.take(host, one)
    await world.rows("alter table logs drop constraint no_x")
    assert await world.records.take(host, one) == 1


async def test_a_server_that_is_not_there(world: World, host: HostIdentity) -> None:
    record = wire.LogRecord(ts=clock.now(), level="info", message="x")
    one = wire.Records(server_id=uuid4(), stream="log", generation=1, seq=1, records=[record])
    with pytest.raises(NotFound):
        await world.records.take(host, one)
    assert await world.value("select count(*) from log_cursors") == 0
