"""One process after the other is replaced while people give commands: nothing is lost, nothing happens twice."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agent.harness import free_port
from tests.faults.town import Town
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction


def words(number: int) -> str:
    """What is announced; none is the beginning of another."""
    return f"word-{number:03}"


class Busy(Town):
    """A town with two processes, whose agent knows both addresses and whose owner keeps announcing things."""

    def __init__(self, place: Path, discord: DiscordServer, database_url: str) -> None:
        super().__init__(place, discord, database_url)
        self.second = self.another_bot("second", free_port())
        self.asked: list[Interaction] = []
        self._talking: asyncio.Task[None] | None = None

    async def found(self) -> "Busy":
        await super().found()
        await self.second.start(connects=False)
        await self.host.terminate()
        both = f'["{self.second.url}"]'
        self.host.configure(templates='["7dtd"]', template_dirs=f'["{self.templates}"]', other_urls=both)
        await self.host.start()
        return self

    def begin(self) -> None:
        self._talking = asyncio.create_task(self._talk())

    async def _talk(self) -> None:
        channels = self.discord.guild.channels  # each takes about one message a second
        while True:
            number = len(self.asked)
            with contextlib.suppress(ConnectionError):  # nobody is connected for a moment: Discord tells its sender
                self.asked.append(await self.announce(words(number), channels[number % len(channels)]))
            await asyncio.sleep(0.35)

    async def end(self) -> None:
        assert self._talking
        self._talking.cancel()
        await asyncio.gather(self._talking, return_exceptions=True)


@pytest.fixture
async def busy(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[Busy]:
    town = Busy(tmp_path, discord, database_url)
    try:
        yield await town.found()
    finally:
        await town.tell()
        await town.clean_up()


async def test_a_new_version_takes_over_without_a_gap(busy: Busy) -> None:
    busy.begin()
    await asyncio.sleep(1)
    assert await busy.bot.terminate() == 0
    await busy.bot.start(connects=False)  # the new version, while the other process does everything
    await asyncio.sleep(1)
    assert await busy.second.terminate() == 0
    await asyncio.sleep(1)
    await busy.end()
    await busy.all_ended()
    answers = [await asked.answer() for asked in busy.asked if asked.callbacks]
    taken = [answer for answer in answers if "`J-" in answer.text]
    told = [answer.text for answer in answers if "`J-" not in answer.text]
    assert len(answers) >= len(busy.asked) - 2, "of what came while nobody was connected Discord tells its sender"
    assert all("restarting" in text for text in told) and len(told) <= 2, told
    jobs = await busy.jobs()
    assert set(jobs.values()) == {"success"}
    assert len(jobs) == len(taken) + 2, "and two from the founding"
    heard = [busy.game.heard(words(number)) for number in range(len(busy.asked))]
    assert max(heard) == 1 and sum(heard) == len(taken), heard
    await busy.whole()
