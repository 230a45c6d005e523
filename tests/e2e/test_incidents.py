"""Incidents as people meet them: the card, its buttons, and its end by itself."""

from typing import Any
from uuid import UUID

import discord
from sqlalchemy import text

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, shown_to
from tests.e2e.servers import add_server, up


async def with_alerts(community: Community) -> None:
    """The ops channel takes alerts too."""
    await community.set_up()
    card = await community.owner.slash(community.general, "setup start")
    await community.owner.select(shown_to(card), [community.ops], custom_id="gk:setup.channel:alerts")


async def is_(host: Host, server: str, state: Any, **values: Any) -> None:
    """A heartbeat that says how a server is."""
    await host.beat(wire.ServerReport(id=UUID(server), state=state, **values))


async def card_with(community: Community, words: str) -> discord.Message:
    """The incident's message once it says these words; there must be one of them only."""
    message = await community.message_with(words)
    cards = [shown for shown in community.texts(community.ops) if "`I-" in shown]
    assert len(cards) == 1, cards
    return message


async def fine_for_a_while(community: Community) -> None:
    """The fifteen seconds in which it has to stay fine, and the looks before and after them."""
    await community.tick("alerts.evaluate")
    async with community.app.work_db.statement() as session:
        await session.execute(text("update alert_firings set clear_since = clear_since - interval '15 seconds'"))
    await community.tick("alerts.evaluate")


async def wanted(community: Community, host: Host) -> str:
    """A server that runs and is to run; its id."""
    server = await add_server(community, host)
    await is_(host, server, "stopped")
    await community.mod.slash(community.general, "server start", server=server)
    (job,) = await host.claim()
    await host.progress(job, wire.Step.STARTED)
    await host.result(job)
    await up(host, server)
    return server


async def test_a_killed_server_from_the_card_to_its_end(community: Community, host: Host) -> None:
    await with_alerts(community)
    server = await wanted(community, host)
    await is_(host, server, "crashed", note="ended by signal 9 after 3 min")
    await community.tick("alerts.evaluate")
    message = await card_with(community, "EU #1 is down")
    shown = reading.text(message)
    assert "`I-1` · **open**" in shown and "it crashed: ended by signal 9" in shown and "severity **high**" in shown
    await community.mod.click(message, label="Acknowledge")
    await card_with(community, "mia looks into it")
    await up(host, server)
    await fine_for_a_while(community)
    shown = reading.text(await card_with(community, "it is running and reachable"))
    assert "**resolved** · after" in shown
    assert ("incident.acknowledge", "success") in await community.audit()
