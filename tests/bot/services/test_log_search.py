"""`/console search`: which lines are found, in which order, by whom."""

from datetime import timedelta
from uuid import UUID

import pytest

from bot import clock
from bot.domain.actors import Actor
from bot.errors import Invalid, NotFound, NotPermitted
from bot.services.log_search import LogPage, LogSearch
from tests.bot.world import World

LINE = """insert into logs (org_id, server_instance_id, ts, level, message)
          values (:org, :server, :ts, 'info', :message)"""


class Logged:
    """A guild with a server that has written something, and somebody who may read it."""

    def __init__(self, world: World, server: UUID) -> None:
        self.world, self.server = world, server
        self.search = LogSearch(world.db)

    async def wrote(self, *lines: str, minutes: float = 1, server: UUID | None = None, org: UUID | None = None) -> None:
        ts = clock.now() - timedelta(minutes=minutes)
        place = {"org": org or self.world.org_id, "server": server or self.server}
        for line in lines:
            await self.world.rows(LINE, **place, ts=ts, message=line)

    async def found(self, words: str, since: str = "", by: Actor | None = None) -> list[str]:
        page = await self.search.search(by or self.world.admin(), str(self.server), words, since)
        return [row.message for row in page.rows]

    async def older(self, page: LogPage) -> LogPage:
        last = page.rows[-1]
        return await self.search.page(self.world.admin(), str(self.server), page.words, page.since, (last.ts, last.id))


@pytest.fixture
async def log(world: World) -> Logged:
    host, _ = await world.pair()
    return Logged(world, await world.server(host))


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("steve", ["steve joined", "Steve left"]),
        ("  STEVE ", ["steve joined", "Steve left"]),
        ("eve l", ["Steve left"]),
        ("100%", ["100% done"]),
        ("a_b", ["a_b"]),
        ("c:\\d", ["c:\\d"]),
        ("nobody", []),
    ],
)
async def test_a_part_of_a_line_is_enough(log: Logged, words: str, lines: list[str]) -> None:
    await log.wrote("steve joined", "Steve left", "1000 done", "100% done", "axb", "a_b", "c:\\d", "c:/d")
    assert sorted(await log.found(words)) == sorted(lines)


async def test_newest_first_and_of_the_last_day_unless_said_otherwise(log: Logged) -> None:
    await log.wrote("hit 1", minutes=60 * 20)
    await log.wrote("hit 2", minutes=5)
    await log.wrote("hit 3", minutes=0)
    assert await log.found("hit") == ["hit 3", "hit 2", "hit 1"]
    assert await log.found("hit", "1h") == ["hit 3", "hit 2"]
    with pytest.raises(Invalid):
        await log.found("hit", "yesterday or so")


async def test_every_line_is_on_one_page(log: Logged) -> None:
    """Those of one batch have the same time."""
    await log.wrote(*(f"hit {number}" for number in range(25)))
    page = await log.search.search(log.world.admin(), "EU1", "hit", "")
    seen = [row.message for row in page.rows]
    while page.more:
        page = await log.older(page)
        seen += [row.message for row in page.rows]
    assert seen == [f"hit {number}" for number in reversed(range(25))]


async def test_another_server_and_another_guild_are_left_out(log: Logged) -> None:
    other = await World(log.world.db, guild=2002).found()
    host, _ = await log.world.pair("gs-2")
    await log.wrote("hit", server=await log.world.server(host, "EU2"))
    await log.wrote("hit", org=other.org_id)
    assert await log.found("hit") == []
    with pytest.raises(NotFound):
        await log.found("hit", by=other.admin())


async def test_whoever_lacks_the_permission_reads_nothing(log: Logged) -> None:
    with pytest.raises(NotPermitted):
        await log.found("hit", by=log.world.member())


@pytest.mark.parametrize("words", ["", " x ", "x" * 31])
async def test_too_little_and_too_much_is_nothing_to_look_for(log: Logged, words: str) -> None:
    with pytest.raises(Invalid, match="2 to 30 characters"):
        await log.found(words)
