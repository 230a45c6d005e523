"""Members who act in the simulated Discord."""

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
import simcord

from bot.demo import reading
from bot.demo import simcord_private as private
from bot.demo.people import NotSeen, Person, eventually, shown
from tests.demo.stand_in import StandIn


@pytest.fixture
async def people() -> AsyncIterator[tuple[Person, Person]]:
    """A moderator and a player in one channel."""
    bot = StandIn()
    env = simcord.Env(bot, shard_count=1)
    private.to_now(env)
    await env.start()
    guild = env.create_guild("Riverside")
    rights = discord.Permissions(moderate_members=True)
    mika = guild.add_member(
        env.create_user("mika", global_name="Mika"), roles=[guild.create_role("Mod", permissions=rights)]
    )
    pia = guild.add_member(env.create_user("pia"))
    ops = guild.create_text_channel("ops")
    bot.ops = ops.id
    lock = asyncio.Lock()
    worker = asyncio.create_task(bot.work(pause=0.02))
    yield Person(mika, ops, lock), Person(pia, ops, lock)
    worker.cancel()
    await env.shutdown()
    env.raise_errors()


async def test_a_command_a_button_and_the_workers_message(people: tuple[Person, Person]) -> None:
    mika, pia = people
    server = await mika.picks("server restart", "server", "US #1")
    assert server == "US #1 · Teeworlds · down"
    question = await mika.types("server restart", server=server)
    assert reading.buttons(shown(question)) == ["Restart"]
    await mika.presses(question, "Rest")

    async def look() -> str | None:
        return next((text for text in pia.sees() if "restarted in" in text), None)

    assert await eventually(look, "the card") == "US #1 restarted in 0.6 s"
    assert any("Queued" in text for text in mika.sees())
    assert not any("Queued" in text for text in pia.sees()), "a private answer is seen by somebody else"


async def test_a_form(people: tuple[Person, Person]) -> None:
    mika, _ = people
    form = await mika.types("server note")
    assert reading.text(shown(await mika.submits(form, text="be nice"))) == "Noted."
    with pytest.raises(NotSeen, match="no form was opened"):
        await mika.submits(await mika.types("status"))


async def test_what_is_not_there_is_named(people: tuple[Person, Person]) -> None:
    mika, pia = people
    with pytest.raises(NotSeen, match="not visible to this user"):
        await pia.types("server restart", server="EU #1")
    with pytest.raises(NotSeen, match="no suggestion for server contains 'Mars'"):
        await mika.picks("server restart", "server", "Mars")
    with pytest.raises(NotSeen, match="no button 'Stop'"):
        await mika.presses(await mika.types("server restart", server="EU #1"), "Stop")

    async def never() -> None:
        return None

    with pytest.raises(NotSeen, match=r"rain was not seen within 0\.1 s"):
        await eventually(never, "rain", 0.1)


async def test_two_people_wait_for_each_other(people: tuple[Person, Person]) -> None:
    mika, pia = people
    answers = await asyncio.gather(mika.types("status"), pia.types("status"))
    assert [reading.text(shown(answer)) for answer in answers] == ["All is well."] * 2
