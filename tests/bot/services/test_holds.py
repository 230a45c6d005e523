"""Holds: what they refuse, who may end them, their own end, and who comes first."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from agent import wire
from bot.domain.jobs import JobType
from bot.domain.rest import stamp
from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted
from bot.services.holds import Holds, must_not_be_held
from bot.services.servers import resolve
from bot.workers.sweeps import Tick
from bot.workers.ticks import Ticks
from db.queries import servers_wanted
from tests.bot.people import MODERATORS, again
from tests.bot.services.schedules_world import Planned
from tests.bot.services.workshop import Workshop
from tests.bot.world import World


@pytest.fixture
def holds(planned: Planned) -> Holds:
    return Holds(planned.world.db)


async def held(planned: Planned) -> str:
    """What people are told who want to start it; empty: it is not held."""
    async with planned.world.db.uow(again(planned.owner)) as tx:
        server = await resolve(tx.session, planned.owner.org, str(planned.server), planned.owner.scope("servers.view"))
        tx.audit("server.start", resource=("server", server.id))
        try:
            await must_not_be_held(tx, server)
        except Conflict as error:
            return f"{error.what} {error.remedy}"
    return ""


async def wanted(planned: Planned) -> tuple[int, bool]:
    """What its host's agent is told: the revision of the list, and whether the server is held."""
    async with planned.world.db.read() as session:
        revision, (spec,) = await servers_wanted.of_host(session, planned.host.id)
    return revision, bool(spec["held"])


async def messages(planned: Planned) -> list[tuple[str, str]]:
    rows = await planned.world.rows("select op, event_type from notification_jobs order by id")
    return [(op, event) for op, event in rows]


async def test_a_hold_is_told_to_people_and_to_the_host(planned: Planned, holds: Holds) -> None:
    before, is_held = await wanted(planned)
    assert not is_held
    done = await holds.hold(again(planned.owner), "EU1", "new  map")
    assert done.title == "EU1 is held" and "Until somebody releases it." in done.text
    planned.clock.on(hours=2, minutes=5)
    assert (await held(planned)).startswith("EU1 is held by Olga for 2 hours: new map. Talk to whoever holds it")
    after, is_held = await wanted(planned)
    assert is_held and after == before + 1
    assert await messages(planned) == [("post", "server.held")]


async def test_released_by_somebody_else(planned: Planned, holds: Holds) -> None:
    await holds.hold(again(planned.owner), "EU1", "new map")
    bea = await planned.people.actor("bea", MODERATORS)
    planned.clock.on(minutes=30)
    with pytest.raises(NotPermitted):
        await holds.release(again(bea), "EU1")
    ann = await planned.people.actor("ann", administrator=True)
    done = await holds.release(again(ann), "EU1")
    assert done.text == "It was held by Olga for 30 minutes: new map"
    assert await held(planned) == "" and not (await wanted(planned))[1]
    assert await messages(planned) == [("post", "server.held"), ("edit", "server.released")]
    details = await planned.world.value("select details from audit_logs where action = 'server.release'")
    assert details == {"name": "EU1", "heldBy": "Olga", "reason": "new map"}
    with pytest.raises(Conflict, match="EU1 is not held"):
        await holds.release(again(ann), "EU1")


async def test_a_late_press_does_not_end_the_next_hold(planned: Planned, holds: Holds) -> None:
    async def since() -> str:
        return stamp((await planned.world.value("select created_at from server_holds")).timestamp())

    await holds.hold(again(planned.owner), "EU1", "new map")
    first = await since()
    await holds.release(again(planned.owner), "EU1")
    planned.clock.on(minutes=5)
    await holds.hold(again(planned.owner), "EU1", "new disk")
    with pytest.raises(Conflict, match="That hold is over; EU1 is held again, by Olga"):
        await holds.release(again(planned.owner), "EU1", since=first)
    assert "new disk" in await held(planned)
    await holds.release(again(planned.owner), "EU1", since=await since())
    assert await held(planned) == ""


async def test_ones_own_hold_is_called_that(planned: Planned, holds: Holds) -> None:
    await holds.hold(again(planned.owner), "EU1", "x")
    assert (await holds.release(again(planned.owner), "EU1")).text.startswith("It was held by you for 0 seconds")


async def test_a_second_hold_names_the_first(planned: Planned, holds: Holds) -> None:
    await holds.hold(again(planned.owner), "EU1", "new map")
    ann = await planned.people.actor("ann", administrator=True)
    with pytest.raises(Conflict) as refused:
        await holds.hold(again(ann), "EU1", "mine")
    assert refused.value.what == "EU1 is held by Olga for 0 seconds: new map."


async def test_it_ends_by_itself_and_says_so_once(planned: Planned, holds: Holds) -> None:
    await planned.world.rows(
        """insert into notification_channels (org_id, name, purpose, type, discord_channel_id, created_at)
           select id, 'ops', 'ops', 'discord_channel', 77, now() from orgs"""
    )
    await holds.hold(again(planned.owner), "EU1", "new map", "2h")
    assert await holds.expire() == {"ended": 0}
    planned.clock.on(hours=2)
    assert await held(planned) == "", "by its clock, whether or not anybody has swept it up"
    before, is_held = await wanted(planned)
    assert is_held, "the host hears of it with the next revision"
    assert await asyncio.gather(holds.expire(), holds.expire()) in (
        [{"ended": 1}, {"ended": 0}], [{"ended": 0}, {"ended": 1}],
    )  # fmt: skip
    assert await wanted(planned) == (before + 1, False)
    assert await messages(planned) == [
        ("post", "server.held"), ("edit", "server.released"), ("post", "server.hold.ended"),
    ]  # fmt: skip
    assert (await planned.world.audited())[-1] == "server.hold.end"


async def test_a_hold_that_is_over_is_in_nobodys_way(planned: Planned, holds: Holds) -> None:
    await holds.hold(again(planned.owner), "EU1", "old", "1h")
    planned.clock.on(hours=3)
    await holds.hold(again(planned.owner), "EU1", "new")
    assert "held by Olga for 0 seconds: new" in await held(planned)
    assert ("post", "server.hold.ended") in await messages(planned)
    assert await holds.expire() == {"ended": 0}


async def test_two_holds_at_once_leave_one(planned: Planned, holds: Holds) -> None:
    async def one(name: str) -> Any:
        return await holds.hold(await planned.people.actor(name, administrator=True), "EU1", f"for {name}")

    answers = await asyncio.gather(one("ann"), one("bob"), return_exceptions=True)
    (refused,) = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(refused, Conflict) and "is held by" in refused.what
    assert await planned.world.value("select count(*) from server_holds") == 1


@pytest.mark.parametrize("times", range(3))
async def test_release_against_its_own_end(planned: Planned, holds: Holds, times: int) -> None:
    await holds.hold(again(planned.owner), "EU1", "x", "1h")
    planned.clock.on(hours=1)
    released, ended = await asyncio.gather(
        holds.release(again(planned.owner), "EU1"), holds.expire(), return_exceptions=True
    )
    assert isinstance(released, Conflict) == (ended == {"ended": 1})
    edits = [event for op, event in await messages(planned) if op == "edit"]
    assert edits == ["server.released"] and not (await wanted(planned))[1]


async def test_power_waits_for_whoever_is_just_holding(planned: Planned, holds: Holds) -> None:
    """Either it comes before the hold, or it is refused; never after it."""
    async with planned.world.db.uow(again(planned.owner)) as tx:
        server = await resolve(tx.session, planned.owner.org, "EU1", planned.owner.scope("servers.view"))
        await must_not_be_held(tx, server)
        tx.audit("server.start", resource=("server", server.id))
        holding = asyncio.create_task(holds.hold(again(planned.owner), "EU1", "x"))
        await asyncio.sleep(0.2)
        assert not holding.done()
    await holding
    assert await held(planned)


async def test_what_is_waiting_is_named(planned: Planned, holds: Holds) -> None:
    await planned.world.enqueue(planned.host, planned.server, JobType.SERVER_RESTART, wire.ServerRestart())
    done = await holds.hold(again(planned.owner), "EU1", "x")
    assert "J-1 is waiting or under way there and goes on" in done.text


async def test_a_job_is_not_done_again_while_it_is_held(planned: Planned, holds: Holds) -> None:
    world = planned.world
    await world.enqueue(planned.host, planned.server)
    await planned.finish("failed")
    await holds.hold(again(planned.owner), "EU1", "new map")
    with pytest.raises(Conflict, match="EU1 is held by Olga"):
        await world.jobs.retry(again(planned.owner), 1)
    await world.enqueue(planned.host, planned.server, JobType.CONSOLE_COMMAND, wire.ConsoleCommand(command="x"))
    await planned.finish("failed")
    await world.jobs.retry(again(planned.owner), 2)


async def test_nothing_is_deployed_while_it_is_held(world: World, tmp_path: Path) -> None:
    shop = Workshop(world, tmp_path)
    await shop.upload(b"DATA" * 50, "dm9.map", version="1.0")
    server = await shop.server(await shop.host())
    owner = await shop.owner()
    question = await shop.mods.ask_deploy(again(owner), str(server), "dm9", "1.0")
    await Holds(world.db).hold(again(owner), str(server), "new map")
    with pytest.raises(Conflict, match="is held by Olga"):
        await shop.confirmations.press(again(owner), question.token)
    with pytest.raises(Conflict, match="is held by Olga"):
        await shop.mods.ask_deploy(again(owner), str(server), "dm9", "1.0")


@pytest.mark.parametrize(
    ("ref", "reason", "duration", "error"),
    [
        ("EU9", "x", "", NotFound),
        ("EU1", "  ", "", Invalid),
        ("EU1", "x", "0m", Invalid),
        ("EU1", "x", "0h", Invalid),
        ("EU1", "x", "-5m", Invalid),
        ("EU1", "x", "yesterday", Invalid),
        ("EU1", "x", "2020-01-01", Invalid),
    ],
)
async def test_what_is_refused(
    planned: Planned, holds: Holds, ref: str, reason: str, duration: str, error: type[AppError]
) -> None:
    with pytest.raises(error):
        await holds.hold(again(planned.owner), ref, reason, duration)
    assert await planned.world.value("select count(*) from server_holds") == 0


async def test_a_removed_server_is_told_of_no_more(planned: Planned, holds: Holds) -> None:
    await holds.hold(again(planned.owner), "EU1", "x", "1h")
    await planned.world.rows("update server_instances set deleted_at = now()")
    planned.clock.on(hours=1)
    assert await holds.expire() == {"ended": 1}
    assert "server.hold.ended" not in [event for _, event in await messages(planned)]


async def test_a_hold_without_an_end_ends_with_its_server(planned: Planned, holds: Holds) -> None:
    """Nobody can release a server that is gone, and its message would stay for ever."""
    await holds.hold(again(planned.owner), "EU1", "x")
    assert await holds.expire() == {"ended": 0}
    await planned.world.rows("update notification_jobs set status = 'sent'")
    await planned.world.rows("update server_instances set deleted_at = now()")
    assert await holds.expire() == {"ended": 1} and await holds.expire() == {"ended": 0}
    assert (await messages(planned))[-1] == ("edit", "server.released")


async def test_what_was_planned_is_called_off(planned: Planned, holds: Holds) -> None:
    await planned.world.rows(
        """insert into power_plans (org_id, server_instance_id, action, mode, due_at, created_at)
           select org_id, id, 'restart', 'at', :due, :due from server_instances""",
        due=planned.clock() + timedelta(hours=1),
    )
    done = await holds.hold(again(planned.owner), "EU1", "x")
    assert "The restart that was planned there is called off." in done.text


async def test_one_that_cannot_be_ended_keeps_no_other_from_its_end(planned: Planned, holds: Holds) -> None:
    await planned.world.server(planned.host, "EU2")
    await holds.hold(again(planned.owner), "EU1", "x", "1h")
    await holds.hold(again(planned.owner), "EU2", "y", "2h")
    planned.clock.on(hours=2)
    async with planned.world.db.engine.connect() as somebody:
        await somebody.execute(text("begin"))
        await somebody.execute(text("select 1 from server_instances where name = 'EU1' for update"))
        await Ticks(planned.world.db, []).run(Tick("holds.expire", timedelta(seconds=15), holds.expire))
        await somebody.execute(text("rollback"))
    assert await planned.world.rows("select server_instance_id from server_holds") == [(planned.server,)]
    ((status, error),) = await planned.world.rows("select status, meta_json ->> 'error' from cron_runs")
    assert (status, error) == ("failure", "Unavailable: The database did not answer in time.")
    assert await holds.expire() == {"ended": 1}
