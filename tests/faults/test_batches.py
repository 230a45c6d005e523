"""kill -9 of the bot, and of the agent, in the middle of a batch over light servers: each is done once, so many at a
time, and one message tells it to the end."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from agent import wire
from agent.host import game_report
from agent.http import Http
from games.catalog import load_template
from tests.agent.harness import GAMES
from tests.faults.town import Town
from tests.wire.discord_server import DiscordServer
from tests.wire.messages import Message
from tests.wire.waiting import eventually

SERVERS: Final = ("arena", "desert", "forest", "harbour")


class Row(Town):
    """A town with four servers of the counting game, which have the tag `eu`."""

    async def found(self) -> "Row":
        await self.bot.start()
        await self.pair()
        for name in SERVERS:
            self.host.install(name)
            ((host,),) = await self.rows("select id from hosts")
            opened = await self.command("fleet add", host=str(host), game="counter", name=name)
            await opened.opened()
            await self.discord.submit(self.owner, opened)
        await self.all_ended()
        await self.rows(
            "insert into server_tags (org_id, server_instance_id, tag) select org_id, id, 'eu' from server_instances"
        )
        return self

    async def pair(self) -> None:
        self.host.configure(templates='["counter"]')
        found = re.search(
            r"gamekeeper-agent pair \S+ (\S+)", (await (await self.command("host add", name="basement")).answer()).text
        )
        assert found
        async with Http(self.bot.url) as http:
            games = [game_report(load_template(GAMES / "counter.yaml"))]
            request = wire.PairRequest(token=found[1], hostname="box", agent_version="1", games=games)
            answer = await http.call("POST", "pair", wire.PairAnswer, request)
        self.host.give_identity(answer.host_id, answer.agent_key)
        await self.host.start()

    async def batch(self, action: str, parallel: int) -> None:
        """Asks, types the tag, presses, and reads that it has begun."""
        options = {"action": action, "tag": "eu", "parallel": parallel}
        asked = await (await self.discord.slash(self.owner, self.ops, "batch start", **options)).answer()
        opened = await self.discord.press(self.owner, asked, f"{action.capitalize()} on 4 servers")
        await opened.opened()
        begun = await (await self.discord.submit(self.owner, opened, name="eu")).answer()
        assert "`W-" in begun.text, begun.text

    def messages_of(self, number: int) -> list[Message]:
        return [message for message in self.discord.messages(self.ops) if f"`W-{number}` · **" in message.text]

    async def says(self, number: int, *words: str, seconds: float = 30.0) -> None:
        """Waits until the one message of a batch says this."""

        def look() -> bool:
            return [all(word in message.text for word in words) for message in self.messages_of(number)] == [True]

        await eventually(look, seconds, lambda: f"{words} in {[message.said for message in self.messages_of(number)]}")

    async def at_most(self, parallel: int) -> None:
        """Whatever is killed, no more are under way."""
        ((under_way,),) = await self.rows(
            "select count(*) from jobs where batch_id is not null and status in ('queued', 'running')"
        )
        assert under_way <= parallel

    def starts(self) -> list[int]:
        return [self.host.count(name, "starts") for name in SERVERS]

    async def some_started(self, number: int) -> None:
        await eventually(lambda: sum(self.starts()) >= number, 30.0, lambda: f"{number} starts in {self.starts()}")


@pytest.fixture
async def row(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[Row]:
    made = Row(tmp_path, discord, database_url)
    try:
        yield await made.found()
    finally:
        await made.tell()
        await made.clean_up()


async def test_the_bot_dies_and_then_the_agent(row: Row) -> None:
    await row.batch("start", 2)
    await row.some_started(1)
    await row.bot.kill()
    await row.at_most(2)
    await row.bot.start()
    await row.a_minute_passes()
    await row.says(1, "`W-1` · **done**", "**4 of 4 done**")
    assert row.starts() == [1] * 4
    await row.batch("restart", 1)
    await row.some_started(5)
    await row.host.kill()
    await row.at_most(1)
    await row.host.start()
    await row.all_ended(60.0)
    ended = await row.rows("select status, completed_at is not null from job_batches order by number")
    assert ended == [("done", True)] * 2
    audited = await row.rows("select count(*) from audit_logs where action = 'batch.end'")
    assert audited == [(2,)] and len(row.messages_of(1)) == len(row.messages_of(2)) == 1
    jobs = await row.rows("select j.status from jobs j join job_batches b on b.id = j.batch_id where b.number = 2")
    lost = jobs.count(("failed",))  # what the agent was at when it died, and nobody knows how far it came
    assert lost <= 1 and jobs.count(("success",)) == 4 - lost
    assert max(row.starts()) == 2 and sum(row.starts()) >= 8 - lost
    await row.says(2, f"**{4 - lost} of 4 done**", "It took")
