"""kill -9 of the bot: what it had begun is found again by the next one."""

from tests.faults.town import Town
from tests.wire.trouble import posts_to
from tests.wire.waiting import eventually


async def test_between_the_claim_and_the_first_report(town: Town) -> None:
    """The offer has reached the agent, which cannot say that it begins."""
    town.host.freeze()
    number = await town.number(await town.restart())
    await town.run_is(number, "claimed")
    await town.bot.kill()
    town.host.thaw()
    await town.bot.start()
    await town.a_minute_passes()
    await town.end_of(number, "done")
    assert town.game.starts == 2
    await town.whole()


async def test_while_the_agent_works(town: Town) -> None:
    """The result waits on the host's disk until there is a bot again."""
    town.game.slow(1.0)
    number = await town.number(await town.restart())
    await eventually(lambda: town.game.starts == 2)
    await town.bot.kill()
    await town.host.until(lambda: bool(town.host.spooled(".result")))
    await town.bot.start()
    await town.a_minute_passes()
    await town.end_of(number, "done")
    assert town.game.starts == 2 and await town.jobs() == {1: "success", 2: "success", 3: "success"}
    await town.whole()


async def test_after_the_commit_and_before_the_message(town: Town) -> None:
    """The press was answered, so the restart happens, and is told about once."""
    post = town.discord.trouble.hold(posts_to(town.ops.id))
    pressed = await town.restart()
    number = await town.number(pressed)
    await post.until_arrived()
    await town.bot.kill()
    post.lose()
    await town.bot.start()
    await town.a_minute_passes()
    await town.end_of(number, "done")
    assert town.game.starts == 2 and pressed.refused == 0
    await town.whole()
