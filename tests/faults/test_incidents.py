"""kill -9 of the bot while an incident opens or ends: one incident, one card, whichever step it was at."""

import pytest

from tests.faults.locks import locked, stands_still
from tests.faults.town import Town
from tests.wire.guild import Channel
from tests.wire.messages import Message
from tests.wire.trouble import posts_to
from tests.wire.waiting import eventually


async def watched(town: Town) -> Channel:
    """Alerts go to a channel of their own, and an incident that is over is over."""
    guild = town.discord.guild
    given = {"purpose": "alerts", "channel": str(guild.general.id)}
    await (await town.discord.slash(town.owner, town.ops, "setup channels", **given)).answer()
    await town.rows("update alert_rules set cooldown_seconds = 0")
    return guild.general


def cards(town: Town, channel: Channel, number: int) -> list[Message]:
    return [message for message in town.discord.messages(channel) if f"`I-{number}`" in message.text]


async def fine_for_long(town: Town) -> None:
    """Waits until the server runs again; the fifteen seconds in which it has to are made short."""
    await town.server_is("running")
    await town.rows("update alert_firings set clear_since = now() - interval '1 minute' where status = 'firing'")


async def over(town: Town, channel: Channel, number: int) -> None:
    """Waits until an incident is resolved and its card, the only one, says so."""

    async def look() -> bool:
        await fine_for_long(town)
        return any("**resolved**" in card.text for card in cards(town, channel, number))

    await eventually(look, 40.0, lambda: f"the end of I-{number}: {[m.text for m in town.discord.messages(channel)]}")
    assert len(cards(town, channel, number)) == 1
    assert await town.rows("select count(*) from incidents") == [(number,)]


async def restarted(town: Town) -> None:
    await town.bot.start()
    await town.a_minute_passes()


@pytest.mark.timeout(180)
async def test_whichever_step_it_was_at(town: Town) -> None:
    channel = await watched(town)
    await town.discord.message(channel, "Messages for alerts arrive here.")

    # before the commit: everything is written but the message that is owed
    async with locked(town, "notification_jobs"):
        await town.game.control.crash()
        await stands_still(town, "outbox.post")
        await town.bot.kill()
    assert await town.rows("select 1 from incidents") == []
    await restarted(town)
    await over(town, channel, 1)

    # after the commit and before the message; and where Discord has it and only the answer is missing
    for number, after in ((2, False), (3, True)):
        await town.server_is("running")
        post = town.discord.trouble.hold(posts_to(channel.id), after=after)
        await town.game.control.crash()
        await post.until_arrived()
        await town.bot.kill()
        post.lose()
        await restarted(town)
        if number == 2:
            await over(town, channel, number)

    # while it ends
    await town.discord.message(channel, "`I-3`", "**open**")
    async with locked(town, "incident_events"):
        await fine_for_long(town)
        await stands_still(town, "incidents.note")
        await town.bot.kill()
    assert await town.rows("select status from incidents where number = 3") == [("open",)]
    await restarted(town)
    await over(town, channel, 3)
