"""What should always run and is stopped is started again, and nothing else is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.actors import system
from bot.services.power_reconcile import Reconciler, pause
from db.queries import power_drift
from tests.bot.services import power_world
from tests.bot.services.power_world import PlanWorld
from tests.bot.world import World


class Drift(PlanWorld):
    """A server that should always run, and was stopped in the game."""

    async def look(self, **span: float) -> int:
        """After some time and a heartbeat: how many were started."""
        self.clock.on(**span)
        await self.report(None, "stopped")
        return (await Reconciler(self.world.db).tick())["started"]


@pytest.fixture
async def drift(world: World, monkeypatch: pytest.MonkeyPatch) -> Drift:
    found = await Drift(world, power_world.Clock(power_world.at(12))).found(monkeypatch)
    await world.rows("update server_instances set restart_policy = 'always'")
    await found.report(None, "stopped")
    return found


async def test_it_is_started_once_it_is_surely_stopped(drift: Drift) -> None:
    assert await drift.look(seconds=50) == 0
    assert await drift.look(seconds=10) == 1
    assert await drift.look(seconds=10) == 0  # it waits for its host
    assert await drift.do() == ["SERVER_START"]
    rows = await drift.world.rows("select source, (select count(*) from bot_messages where kind = 'job') from jobs")
    assert [tuple(row) for row in rows] == [("reconcile", 0)]  # nobody has said where messages go


@pytest.mark.parametrize(
    "change",
    [
        "update server_instances set restart_policy = 'on_crash'",
        "update server_instances set restart_policy = 'never'",
        "update server_instances set desired_state = 'stopped'",
        "update server_instances set desired_state = 'unmanaged'",
        "update server_instances set deleted_at = now()",
        "update orgs set status = 'left', left_at = now()",
        """insert into server_holds (org_id, server_instance_id, reason, created_at)
           select org_id, id, 'new map', '2020-01-01' from server_instances""",
        """insert into maintenance_windows (org_id, reason, starts_at, ends_at)
           select id, 'new disk', '2020-01-01', '2100-01-01' from orgs""",
    ],
)
async def test_never_against_what_people_want(drift: Drift, change: str) -> None:
    await drift.world.rows(change)
    assert await drift.look(minutes=5) == 0


@pytest.mark.parametrize("state", ["crashed", "starting", "running", "unknown", "installing"])
async def test_what_its_host_does_is_left_to_it(drift: Drift, state: Any) -> None:
    await drift.report(None, state)
    drift.clock.on(minutes=1.5)
    await drift.report(None, state)
    assert await Reconciler(drift.world.db).tick() == {"started": 0}


async def test_a_silent_host_or_somebody_at_work_is_waited_for(drift: Drift) -> None:
    drift.clock.on(minutes=5)
    assert await Reconciler(drift.world.db).tick() == {"started": 0}  # what it said is old
    other = await drift.world.enqueue(drift.host, drift.server)
    assert await drift.look() == 0
    await drift.world.jobs.cancel(await drift.person(), other.number)
    assert await drift.look() == 1


async def test_what_does_not_stay_up_is_started_ever_more_seldom(drift: Drift) -> None:
    starts: list[int] = []
    for minute in range(1, 65):
        if await drift.look(minutes=1):
            starts.append(minute)
            assert await drift.do("failed") == ["SERVER_START"]
    assert starts == [1, 2, 4, 8, 16, 32, 64]
    assert [pause(n) for n in (0, 1, 2, 3, 50)] == [timedelta(minutes=n) for n in (0, 1, 2, 4, 60)]


async def test_many_that_are_left_alone_keep_no_other_down(drift: Drift) -> None:
    """60 are held, and come before it by turns."""
    world, host = drift.world, drift.host
    for n in range(60):
        await world.server(host, f"H{n}", "stopped")
    await world.rows(
        """update server_instances set restart_policy = 'always', desired_state = 'running', status = 'stopped',
                  last_seen_at = :now, status_changed_at = :before""",
        now=drift.clock.time,
        before=drift.clock.time - timedelta(days=1),
    )
    await world.rows(
        """insert into server_holds (org_id, server_instance_id, reason, created_at)
           select org_id, id, 'new map', '2020-01-01' from server_instances where name <> 'EU1'"""
    )
    reconciler = Reconciler(world.db)
    assert sum([(await reconciler.tick())["started"] for _ in range(2)]) == 1


async def test_one_that_cannot_be_started_keeps_no_other_down(drift: Drift) -> None:
    world = drift.world
    await world.server(drift.host, "EU2", "stopped")
    await world.rows(
        """update server_instances set restart_policy = 'always', desired_state = 'running', last_seen_at = :now,
                  status_changed_at = :before""",
        now=drift.clock.time,
        before=drift.clock.time - timedelta(days=1),
    )
    first, second = [id for (id,) in await world.rows("select id from server_instances order by id")]
    await world.rows(f"alter table jobs add constraint no_start check (server_instance_id <> '{first}')")
    with pytest.raises(IntegrityError):
        await Reconciler(world.db).tick()
    assert await world.rows("select server_instance_id from jobs") == [(second,)]


async def test_whoever_gives_it_something_to_do_meanwhile_does_not_wait_in_a_circle(drift: Drift) -> None:
    """They have the number of a job, for which the start would wait."""
    drift.clock.on(minutes=5)
    await drift.report(None, "stopped")
    now = drift.clock.time
    async with drift.world.db.uow(system("test")) as tx:
        since, recent = now - timedelta(minutes=1), now - timedelta(hours=6)
        assert await power_drift.hold(tx.session, drift.server, since=since, recent=recent, now=now)
        async with asyncio.timeout(3):
            await drift.world.enqueue(drift.host, drift.server)
