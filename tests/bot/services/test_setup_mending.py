"""The buttons of `/setup check`: each with its own permission, its effect, and its audit row."""

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bot import clock
from bot.domain.actors import Actor
from bot.domain.checks import PERMISSION, Mend
from bot.domain.checks_inside import TickFact
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted
from bot.services import setup_mending
from bot.services.channels import Channels
from bot.services.outbox import Outbox, Sent
from bot.services.panels import Panels, Where
from bot.services.tick_facts import CHANNEL, TickFacts
from bot.workers.sweeps import Tick
from bot.workers.ticks import Ticks
from tests.bot.people import People
from tests.bot.services.prerequisites import Prerequisites, SaidGuild, guild
from tests.bot.services.test_setup_check import give_up, post
from tests.bot.world import World
from tests.wire.waiting import eventually


@pytest.fixture
async def here(world: World, tmp_path: Path) -> Prerequisites:
    """An org whose alerts go to the channel 7, and a board in the channel 8."""
    await Channels(world.db).add(world.admin(), Where(7), name="night", purpose="alerts")
    await Panels(world.db).create(world.admin(), Where(8))
    return Prerequisites(world, tmp_path, SaidGuild(guild(world, 7, 8)))


async def moderator(world: World) -> Actor:
    """Somebody who may look, and whose presets change nothing here."""
    await world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id)
           select :org, 502, id from roles where org_id = :org and name = 'moderator'""",
        org=world.org_id,
    )
    return await People(world.db).actor("mia", 502)


async def test_a_channel_that_was_switched_off(here: Prerequisites) -> None:
    world = here.world
    await give_up(world)
    await world.rows("update notification_channels set enabled = false, disabled_reason = 'Discord said 403'")
    row = str(await world.value("select id from notification_channels"))
    assert await here.mending.mend(world.admin(), "try", row) == "A test message is on its way to <#7>."
    assert await world.value("select enabled from notification_channels")
    assert await world.value("select count(*) from notification_jobs where status = 'pending'") == 1
    assert (await world.audited())[-1] == "notify.test"


async def test_a_board_that_was_switched_off(here: Prerequisites) -> None:
    world = here.world
    flow = Outbox(world.db)
    for row in await flow.claim():
        await flow.settle(row, Sent(1 << 40, b"x"))
    await world.rows("update bot_messages set disabled_reason = 'Discord said 403' where kind = 'panel'")
    panel = str(await world.value("select id from bot_messages where kind = 'panel'"))
    assert await here.mending.mend(world.admin(), "panel", panel) == "The board in <#8> goes on."
    assert await world.value("select disabled_reason from bot_messages where kind = 'panel'") is None


async def test_rights_in_a_channel(here: Prerequisites) -> None:
    assert await here.mending.mend(here.world.admin(), "let", "7") == "The bot has its rights in <#7>."
    assert here.discord.let_in_to == [(7, "/setup check, asked for by Ann")]
    assert (await here.world.audited())[-1] == "setup.rights"


async def test_what_discord_refuses_leaves_no_row_that_says_otherwise(here: Prerequisites) -> None:
    here.discord.refuses = True
    before = await here.world.audited()
    for mend, target in (("let", "7"), ("commands", "-")):
        with pytest.raises(Invalid, match="Discord does not let me"):
            await here.mending.mend(here.world.admin(), mend, target)
    assert await here.world.audited() == before


async def test_only_channels_that_something_is_sent_to(here: Prerequisites) -> None:
    with pytest.raises(NotFound):
        await here.mending.mend(here.world.admin(), "let", "4711")
    assert here.discord.let_in_to == []


async def test_commands_messages_and_ticks(here: Prerequisites) -> None:
    world = here.world
    assert "are registered" in await here.mending.mend(world.admin(), "commands", "-")
    assert here.discord.registered == 1
    for number in range(3):
        await post(world, number, channel=9)
    await give_up(world)
    assert await here.mending.mend(world.admin(), "send", "-") == "4 messages are on the way again."
    assert await world.value("select count(*) from notification_jobs where status = 'failed' and op = 'post'") == 1
    assert await here.mending.mend(world.admin(), "send", "-") == "0 messages are on the way again."
    here.duties.late = timedelta(hours=1)
    assert await here.mending.mend(world.admin(), "tick", "bans.expire") == "`bans.expire` was done."
    assert await here.mending.mend(world.admin(), "make", "bans") == (
        "There is a channel for bans; a test message is on its way to it."
    )
    assert (here.duties.done, here.made) == (["bans.expire"], ["bans"])
    assert (await world.audited())[-3:] == ["setup.send", "setup.send", "setup.tick"]
    assert "setup.commands" in await world.audited()


async def test_a_tick_that_does_not_end_well(here: Prerequisites) -> None:
    here.duties.works, here.duties.late = False, timedelta(hours=1)
    with pytest.raises(Conflict, match="has not ended well"):
        await here.mending.mend(here.world.admin(), "tick", "bans.expire")
    assert (await here.world.audited())[-1] == "setup.tick", "somebody had it done"


async def test_a_tick_of_another_process_is_done_there(here: Prerequisites, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears of it, does it where it leads it, and tells how that went."""
    world, done = here.world, list[int]()

    async def work() -> dict[str, int]:
        done.append(1)
        return {}

    monkeypatch.setattr(setup_mending, "_ELSEWHERE_WITHIN", 3.0)
    hour = timedelta(hours=1)
    await TickFacts(world.db).tell("alerts", [TickFact("alerts.evaluate", hour, clock.now() - 5 * hour, failed=False)])
    with pytest.raises(Conflict, match="has not ended well, or not yet"):
        await here.mending.mend(world.admin(), "tick", "alerts.evaluate")
    other = Ticks(world.db, [Tick("alerts.evaluate", hour, work, duty="alerts")])
    asked: list[asyncio.Task[None]] = []

    def heard(name: str) -> None:
        asked.append(asyncio.ensure_future(other.asked(name)))

    listening = asyncio.create_task(world.db.listen(CHANNEL, heard))
    await eventually(lambda: asked)  # the empty one with which it begins
    assert await here.mending.mend(world.admin(), "tick", "alerts.evaluate") == "`alerts.evaluate` was done."
    assert done == [1]
    listening.cancel()


@pytest.mark.parametrize(
    "mend", sorted(set(Mend) - {Mend.MAKE}), ids=str
)  # that one is the wizard's, which asks itself
async def test_each_asks_for_the_permission_of_what_it_does(here: Prerequisites, mend: Mend) -> None:
    actor, world = await moderator(here.world), here.world
    rows = {
        Mend.TRY_CHANNEL: await world.value("select id from notification_channels"),
        Mend.TRY_PANEL: await world.value("select id from bot_messages where kind = 'panel'"),
        Mend.LET_IN: 7,
        Mend.TICK: "bans.expire",
    }
    with pytest.raises(NotPermitted, match=PERMISSION[mend].replace(".", r"\.")):
        await here.mending.mend(actor, mend.value, str(rows.get(mend, "-")))
    assert (here.discord.let_in_to, here.discord.registered, here.duties.done) == ([], 0, [])


@pytest.mark.parametrize(
    ("mend", "target"),
    [("nonsense", "-"), ("let", "x"), ("try", "x"), ("panel", "x"), ("panel", "-"), ("tick", "x"), ("let", "9" * 40)],
)
async def test_buttons_that_are_none_of_ours(here: Prerequisites, mend: str, target: str) -> None:
    with pytest.raises(AppError):
        await here.mending.mend(here.world.admin(), mend, target)
    assert (await here.world.audited())[-1] == "panel.create"


async def test_of_another_org_nothing_is_found(here: Prerequisites) -> None:
    world = here.world
    other = await World(world.db, guild=1002).found()
    there = Prerequisites(other, here.place, SaidGuild(guild(other, 7, 8)))
    await give_up(world)
    for mend, target in (
        ("try", await world.value("select id from notification_channels")),
        ("panel", await world.value("select id from bot_messages where kind = 'panel'")),
        ("let", 7),
        ("try", uuid4()),
    ):
        with pytest.raises(NotFound):
            await there.mending.mend(other.admin(), mend, str(target))
    assert await there.mending.mend(other.admin(), "send", "-") == "0 messages are on the way again."
