"""Where an incident is shown when its channel fails: elsewhere or again, and never for ever."""

import asyncio

import pytest
from sqlalchemy import text

from bot.services.channels import Channels
from bot.services.outbox import Outbox, Refused, Sent
from bot.services.setup import Setup
from tests.bot.services.alert_world import ALERTS, Watchtower
from tests.bot.world import World

GONE = Refused("Discord said 404: Unknown Channel", permanent=True, target="channel")
FORBIDDEN = Refused("Discord said 403: Missing Access", permanent=True, target="channel")


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    """With two servers that are down, and a channel for alerts."""
    made = await Watchtower(world, monkeypatch).built()
    await made.sent()
    await made.report(await made.add_server("EU2"), state="crashed")
    await made.look(state="crashed")
    assert await made.status() == [(1, "open"), (2, "open")]
    return made


async def delivered(tower: Watchtower, outcome: Sent | Refused) -> list[tuple[int, str]]:
    """Channel and kind of every post that was sent, or refused."""
    outbox, seen = Outbox(tower.world.db), list[tuple[int, str]]()
    while rows := await outbox.claim():
        for row in rows:
            seen.append((row.channel_id, row.kind or row.event_type))
            await outbox.settle(row, outcome)
    return seen


async def test_a_channel_that_was_deleted_before_they_were_posted(tower: Watchtower) -> None:
    assert await delivered(tower, GONE) == [(ALERTS, "incident")]
    await Setup(tower.world.db).set_channel(tower.world.admin(), "alerts", 5)
    assert await delivered(tower, Sent(1, b"")) == [(5, "setup.test"), (5, "incident"), (5, "incident")]


async def test_a_channel_that_was_deleted_afterwards(tower: Watchtower) -> None:
    assert len(await delivered(tower, Sent(1, b""))) == 2
    await tower.incidents.acknowledge(tower.world.admin(), "1")
    tower.later(5)
    assert len(await delivered(tower, GONE)) == 1
    await Setup(tower.world.db).set_channel(tower.world.admin(), "alerts", 5)
    assert await delivered(tower, Sent(1, b"")) == [(5, "setup.test"), (5, "incident"), (5, "incident")]


async def test_a_channel_that_lets_the_bot_in_again(tower: Watchtower) -> None:
    assert await delivered(tower, FORBIDDEN) == [(ALERTS, "incident")]
    await Setup(tower.world.db).set_channel(tower.world.admin(), "alerts", ALERTS)
    assert await delivered(tower, Sent(1, b"")) == [(ALERTS, "setup.test"), (ALERTS, "incident"), (ALERTS, "incident")]
    await tower.incidents.resolve(tower.world.admin(), "1")
    tower.later(5)
    assert await delivered(tower, Sent(1, b"x")) == [(ALERTS, "incident")]


async def test_a_channel_that_is_tried_again(tower: Watchtower) -> None:
    await delivered(tower, FORBIDDEN)
    await Channels(tower.world.db).test(tower.world.admin(), "alerts")
    assert [what for _, what in await delivered(tower, Sent(1, b""))][1:] == ["incident", "incident"]


async def test_what_is_shown_is_not_shown_again(tower: Watchtower) -> None:
    setup = Setup(tower.world.db)
    await setup.set_channel(tower.world.admin(), "alerts", ALERTS)
    assert [what for _, what in await delivered(tower, Sent(1, b""))] == ["incident", "incident", "setup.test"]
    await setup.set_channel(tower.world.admin(), "alerts", ALERTS)
    assert [what for _, what in await delivered(tower, Sent(2, b""))] == ["setup.test"]


async def test_an_incident_that_opens_while_its_channel_is_chosen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    tower = await Watchtower(world, monkeypatch).built(channel=False)
    await tower.rule("server_down")
    await tower.report(state="crashed")
    async with world.db.uow(tower.system()) as tx:
        await tx.session.execute(text("lock table audit_logs in share mode"))  # both write there last
        opening = asyncio.create_task(tower.evaluation.states())
        await asyncio.sleep(0.3)
        choosing = asyncio.create_task(Setup(world.db).set_channel(world.admin(), "alerts", ALERTS))
        await asyncio.sleep(0.3)
    assert await opening == {"fire": 1}
    await choosing
    assert await tower.owed() == 1
