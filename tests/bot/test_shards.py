"""Processes that share the shards: each is connected by one of them, and what is connected is left alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

import aiohttp
import discord
import pytest
from sqlalchemy import text

from bot.client import Client
from bot.errors import Invalid
from bot.services.leases import Leases
from bot.shards import Shards
from bot.workers.leading import Leading
from db.engine import Database
from tests.wire.waiting import eventually


class Line:
    """A shard's connection."""

    def __init__(self) -> None:
        self.closed = False

    def is_closed(self) -> bool:
        return self.closed

    async def disconnect(self) -> None:
        self.closed = True


class Quiet:
    """A connection to Discord on which nothing happens, as far as `Shards` knows a client."""

    def __init__(self, refused: Exception | None = None) -> None:
        self.shard_ids: list[int] = []
        self.shard_count = 0
        self.shards: dict[int, Line] = {}
        self._refused = refused

    async def start(self, _token: str) -> None:
        if self._refused:
            raise self._refused
        self.shards = {shard: Line() for shard in self.shard_ids}
        await asyncio.Event().wait()

    def get_shard(self, shard: int) -> Line | None:
        return self.shards.get(shard)

    def is_ready(self) -> bool:
        return bool(self.shards)

    @property
    def lines(self) -> set[int]:
        return {shard for shard, line in self.shards.items() if not line.closed}

    async def close(self) -> None:
        for line in self.shards.values():
            line.closed = True


class Replica:
    """One process: its leases, its shards, and every client that it has made."""

    def __init__(self, db: Database, name: str, count: int) -> None:
        self.clients: list[Quiet] = []
        self.refused: Exception | None = None
        self.leading = Leading(Leases(db, name), (), ("bot",))
        self.shards = Shards(self.leading, count, "token", lambda: cast("Client", self._client()))
        self.task: asyncio.Task[None] | None = None

    def _client(self) -> Quiet:
        self.clients.append(Quiet(self.refused))
        return self.clients[-1]

    async def start(self) -> "Replica":
        await self.leading.begin()
        self.task = asyncio.create_task(self.shards.run(), name="shards")
        return self

    @property
    def connected(self) -> set[int]:
        return self.clients[-1].lines if self.clients else set()

    async def dies(self) -> None:
        """Without giving anything back."""
        if self.task:
            self.task.cancel()
        self.leading.leases.held.clear()
        await self.leading.end()

    async def ends(self) -> None:
        self.shards.stop()
        if self.task:
            await asyncio.gather(self.task, return_exceptions=True)
        await self.leading.end()


Start = Callable[..., Replica]


@pytest.fixture
async def replica(db: Database) -> AsyncIterator[Start]:
    """Makes a process that is not started yet."""
    made: list[Replica] = []

    def make(name: str, count: int = 4) -> Replica:
        made.append(Replica(db, name, count))
        return made[-1]

    yield make
    for one in made:
        await one.ends()


async def test_a_newcomer_gets_its_half_and_the_other_half_stays_connected(replica: Start) -> None:
    first = await replica("a").start()
    await eventually(lambda: first.connected == {0, 1, 2, 3}, 5)
    second = await replica("b").start()
    await eventually(lambda: second.connected == {2, 3} and first.connected == {0, 1}, 5)
    assert len(first.clients) == len(second.clients) == 1, "nobody connected anew"


async def test_who_stays_takes_over(replica: Start) -> None:
    first, second = await replica("a").start(), await replica("b").start()
    await eventually(lambda: len(first.connected) == len(second.connected) == 2, 5)
    await second.ends()
    await eventually(lambda: first.connected == {0, 1, 2, 3}, 3)
    third = await replica("c").start()
    await eventually(lambda: len(third.connected) == 2, 5)
    await third.dies()
    await eventually(lambda: first.connected == {0, 1, 2, 3}, 8)


async def test_one_shard_stays_with_who_has_it(replica: Start) -> None:
    first = await replica("b", 1).start()
    await eventually(lambda: first.connected == {0}, 5)
    standby = await replica("a", 1).start()
    await asyncio.sleep(1.5)
    assert first.connected == {0} and not standby.clients
    await first.shards.hand_over()
    await eventually(lambda: standby.connected == {0}, 3)
    assert not first.connected


async def test_nobody_to_hand_over_to(replica: Start) -> None:
    only = await replica("a", 1).start()
    await eventually(lambda: only.connected == {0}, 5)
    await only.shards.hand_over()
    assert only.connected == {0}, "what comes in until the end can at least be told so"


async def test_what_another_process_has_is_let_go(replica: Start, db: Database) -> None:
    stopped = await replica("a", 2).start()
    await eventually(lambda: stopped.connected == {0, 1}, 5)
    async with db.statement() as session:
        await session.execute(text("update leases set holder = 'b', epoch = epoch + 1 where duty = 'shard:1'"))
    await eventually(lambda: stopped.connected == {0}, 3)


async def test_a_silent_database_disconnects_nothing(replica: Start, db: Database) -> None:
    """Renaming the table stands for any reason why nobody gets an answer."""
    only = await replica("b", 1).start()
    await eventually(lambda: only.connected == {0}, 5)
    standby = await replica("a", 1).start()
    async with db.statement() as session:
        await session.execute(text("alter table leases rename to leases_gone"))
    await asyncio.sleep(4.5)
    assert only.connected == {0}, "longer than a lease holds"
    async with db.statement() as session:
        await session.execute(text("alter table leases_gone rename to leases"))
    await eventually(lambda: only.leading.is_current and standby.leading.is_current, 3)
    await asyncio.sleep(1)
    assert only.connected == {0} and len(only.clients) == 1 and not standby.clients


async def test_who_cannot_reach_discord_leaves_it_to_others(replica: Start) -> None:
    lame = replica("a", 1)
    lame.refused = aiohttp.ClientConnectionError("no way out")
    await lame.start()
    sound = await replica("b", 1).start()
    await eventually(lambda: sound.connected == {0}, 10)


async def test_a_wrong_token_and_a_bug_end_it(replica: Start) -> None:
    wrong, broken = replica("a", 1), replica("b", 1)
    wrong.refused = discord.LoginFailure("401")
    await wrong.start()
    assert wrong.task
    with pytest.raises(Invalid, match="refuses GAMEKEEPER_DISCORD_TOKEN"):
        await asyncio.wait_for(wrong.task, 5)
    await wrong.ends()
    broken.refused = ValueError("odd")
    await broken.start()
    assert broken.task
    with pytest.raises(ValueError, match="odd"):
        await asyncio.wait_for(broken.task, 5)
