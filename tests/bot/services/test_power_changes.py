"""Plans that people change: two at once, cancelled, postponed, by whom."""

import asyncio

import pytest

from bot.errors import AppError, Conflict, Invalid, NotPermitted
from tests.bot.services import power_world
from tests.bot.services.power_world import PlanWorld
from tests.bot.world import World

CHAIN = ["Restart in 10 minutes", "Restart in 5 minutes", "Restart in 1 minute", "SERVER_RESTART"]


@pytest.fixture
async def at_noon(world: World, monkeypatch: pytest.MonkeyPatch) -> PlanWorld:
    return await power_world.made(world, monkeypatch)


async def test_two_people_plan_at_once_and_one_of_them_is_told(at_noon: PlanWorld) -> None:
    tokens = [await at_noon.ask(when, name=name) for when, name in (("in 15 min", "Ann"), ("when empty", "Bob"))]
    done = await asyncio.gather(
        at_noon.press(tokens[0], "Ann"), at_noon.press(tokens[1], "Bob"), return_exceptions=True
    )
    assert [isinstance(one, Conflict) for one in done].count(True) == 1
    assert len(await at_noon.status()) == 1


async def test_a_question_is_answered_once_whichever_button_is_pressed(at_noon: PlanWorld) -> None:
    token = await at_noon.ask()
    first, second = await asyncio.gather(
        at_noon.press(token, choice="soon"), at_noon.press(token, choice="empty"), return_exceptions=True
    )
    assert first == second
    assert await at_noon.press(token) == first
    assert len(await at_noon.status()) == 1
    await at_noon.power.cancel(await at_noon.person(), str(at_noon.server))
    with pytest.raises(Invalid, match="no such choice"):
        await at_noon.press(await at_noon.ask(), choice="never")


@pytest.mark.parametrize("seconds", [0, 600, 899])
async def test_a_cancelled_countdown_says_nothing_more(at_noon: PlanWorld, seconds: float) -> None:
    await at_noon.plan("in 15 min")
    while seconds > 0:
        await at_noon.do()
        await at_noon.later(seconds=min(seconds, 60))
        seconds -= 60
    await at_noon.power.cancel(await at_noon.person("Bob"), str(at_noon.server))
    assert await at_noon.live() == ["Restart cancelled"]
    ended = await at_noon.world.rows(
        "select ended_by_id = (select id from users where username = 'Bob') from power_plans"
    )
    assert ended == [(True,)]
    await at_noon.do()
    assert await at_noon.later(minutes=30) == {}
    assert await at_noon.live() == []


async def test_cancelled_while_an_announcement_comes_back(at_noon: PlanWorld) -> None:
    """The end of one job and the end of the plan, at once: whoever is first, nothing is left."""
    for _ in range(8):
        await at_noon.plan("in 15 min")
        (job,) = [one for one in await at_noon.world.claim(at_noon.host) if "15" in getattr(one.params, "text", "")]
        report = power_world.wire.Progress(claim_token=job.claim_token, phase=power_world.wire.Step.STARTED)
        await at_noon.world.queue.progress(at_noon.host, job.run_id, report)
        who = await at_noon.person()
        done = await asyncio.gather(
            at_noon.power.cancel(who, str(at_noon.server)),
            at_noon.world.queue.finish(at_noon.host, job.run_id, power_world.result(job)),
            at_noon.tick(),
            return_exceptions=True,
        )
        assert [one for one in done if isinstance(one, BaseException)] == []
        assert await at_noon.live() == ["Restart cancelled"]
        await at_noon.do()
    assert {status for status, _ in await at_noon.status()} == {"cancelled"}


async def test_cancelled_in_the_moment_in_which_it_begins(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    await at_noon.report(0)
    who = await at_noon.person()
    await asyncio.gather(at_noon.tick(), at_noon.power.cancel(who, str(at_noon.server)), return_exceptions=True)
    await at_noon.do()
    await at_noon.tick()
    ((status, _),) = await at_noon.status()
    did = ("SERVER_RESTART", "success") in await at_noon.jobs()
    assert status == ("done" if did else "cancelled")
    assert await at_noon.live() == []


async def test_postponed_again_and_again(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 5 min", reason="update")
    await at_noon.do()
    for minutes in (10, 20):
        await at_noon.power.postpone(await at_noon.person("Bob"), str(at_noon.server), f"{minutes}m")
    assert await at_noon.do() == ["Restart postponed. Restart in 35 minutes: update"]
    assert await at_noon.live() == []
    assert await at_noon.later(minutes=20) == {"count": 1}
    with pytest.raises(Invalid, match="more than 7 days ahead"):
        await at_noon.power.postpone(await at_noon.person(), str(at_noon.server), "7d")
    with pytest.raises(Invalid, match="not a duration"):
        await at_noon.power.postpone(await at_noon.person(), str(at_noon.server), "a bit")


async def test_what_is_under_way_is_not_postponed(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    await at_noon.later(0)
    await at_noon.world.started(at_noon.host)
    with pytest.raises(Conflict, match="is under way"):
        await at_noon.power.postpone(await at_noon.person(), str(at_noon.server), "10m")
    with pytest.raises(Conflict, match="planned by Ann"):
        await at_noon.plan("in 5 min")


async def test_what_is_under_way_is_cancelled_as_the_job_that_it_is(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    await at_noon.later(0)
    job = await at_noon.world.started(at_noon.host)
    done = await at_noon.power.cancel(await at_noon.person(), str(at_noon.server))
    assert done.title == "J-2 is being cancelled"
    await at_noon.later(0, seconds=5)
    plan = await at_noon.world.value("select id from power_plans")
    assert (await at_noon.power.cancel_plan(await at_noon.person("Bob"), plan)).title == "J-2 is being cancelled"
    await at_noon.world.queue.finish(at_noon.host, job.run_id, power_world.result(job, "cancelled"))
    assert await at_noon.status() == [("cancelled", "cancelled while it ran")]


async def test_cancelling_the_job_of_a_plan_cancels_its_countdown(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    await at_noon.world.jobs.cancel(await at_noon.person("Bob"), 5)
    assert await at_noon.status() == [("cancelled", "cancelled by hand")]
    assert await at_noon.live() == ["Restart cancelled"]


async def test_whoever_may_not_restart_may_not_change_a_plan(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    plan = await at_noon.world.value("select id from power_plans")
    for refused in (
        at_noon.power.cancel(at_noon.world.member(), str(at_noon.server)),
        at_noon.power.cancel_plan(at_noon.world.member(), plan),
        at_noon.power.postpone(at_noon.world.member(), str(at_noon.server), "5m"),
        at_noon.power.postpone_plan(at_noon.world.member(), plan, "5m"),
    ):
        with pytest.raises(NotPermitted):
            await refused


async def test_the_buttons_of_a_plan_that_is_over_say_so(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    plan = await at_noon.world.value("select id from power_plans")
    await at_noon.power.cancel_plan(await at_noon.person(), plan)
    with pytest.raises(Conflict, match="over already"):
        await at_noon.power.cancel_plan(await at_noon.person(), plan)
    with pytest.raises(Conflict, match="over already"):
        await at_noon.power.postpone_plan(await at_noon.person(), plan, "5m")
    with pytest.raises(AppError, match="no such plan"):
        await at_noon.power.cancel_plan(await at_noon.person(), at_noon.server)


async def test_what_is_overdue_is_postponed_from_now_on(at_noon: PlanWorld) -> None:
    """Its host is away, and its time over: it must not happen at once because somebody wants it later."""
    await at_noon.plan("in 15 min")
    await at_noon.do()
    at_noon.clock.on(minutes=25)
    await at_noon.tick()
    done = await at_noon.power.postpone(await at_noon.person(), str(at_noon.server), "5m")
    assert done.text == f"<t:{at_noon.clock.time.timestamp() + 300:.0f}:f>"
    assert await at_noon.live() == ["Restart postponed. Restart in 5 minutes", "Restart in 1 minute", "SERVER_RESTART"]
