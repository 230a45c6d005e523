"""kill -9 of PostgreSQL while commands, heartbeats, claims and messages are under way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests import database
from tests.database import TestServer
from tests.faults.commit_thief import CommitThief
from tests.faults.town import Town, founded
from tests.wire.conftest import MakeBot
from tests.wire.discord_server import DiscordServer
from tests.wire.interactions import Interaction

KILLS = (0.25, 0.9, 0.6)
"""Seconds before each."""


@pytest.fixture
async def town(discord: DiscordServer) -> AsyncIterator[Town]:
    """With the database that the bot brings along and looks after, as durable as it is for everybody."""
    with database.open_directory() as place:
        async with founded(Town(place, discord, "")) as made:
            yield made


async def talk(town: Town, said: dict[str, Interaction], words: str) -> None:
    for number, channel in enumerate(town.discord.guild.channels * 2):
        said[f"{words}{number}."] = await town.announce(f"{words}{number}.", channel)
        await asyncio.sleep(0.12)


async def test_under_load(town: Town) -> None:
    """What was confirmed happened once. What was refused happened once or not at all, and all of it or nothing."""
    said: dict[str, Interaction] = {}
    talking = [asyncio.create_task(talk(town, said, words)) for words in ("left", "right")]
    for pause in KILLS:
        await asyncio.sleep(pause)
        await town.kill_postgres()
    await asyncio.gather(*talking)
    answers = {words: (await asked.answer(30)).text for words, asked in said.items()}
    await town.all_ended(60)
    jobs = dict(await town.rows("select payload->>'text', count(*) from jobs where type = 'ANNOUNCE' group by 1"))
    for words, answer in answers.items():
        assert "Announced" in answer or "Reference" in answer, answer
        assert jobs.get(words, 0) == town.game.heard(words) in ((1,) if "Announced" in answer else (0, 1)), words
    assert any("Announced" in answer for answer in answers.values())
    await town.whole()
    await in_the_middle_of_a_restart(town)


async def in_the_middle_of_a_restart(town: Town) -> None:
    """In the same town: it takes as long to found as both take together."""
    town.game.slow(1.5)
    number = await town.number(await town.restart())
    for _ in range(2):
        await town.run_is(number, "running")
        await town.kill_postgres()
        await asyncio.sleep(0.7)
    await town.end_of(number, "done")
    assert town.game.starts == 2
    await town.whole()


async def test_the_answer_to_a_commit_is_lost(
    discord: DiscordServer, postgres: TestServer, database_url: str, make_bot: MakeBot
) -> None:
    """It was done, so whoever asked must not be told to try again."""
    with database.open_directory() as directory:
        async with CommitThief(postgres.server.paths.socket, directory) as thief:
            bot = make_bot(database_url=f"{database_url.partition('?')[0]}?host={directory}&port=5432")
            await bot.start()
            thief.wait_for("in-doubt")
            asked = await discord.slash(discord.guild.owner, discord.guild.ops, "host add", name="in-doubt")
            await thief.until_stolen()
            answer = await asked.answer()
            assert "this was done" in answer.text and "Do not repeat" in answer.text, answer.text
            assert await bot.terminate() == 0
