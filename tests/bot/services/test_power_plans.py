"""Plans of power actions from their making to their end, and what comes between."""

import asyncio

import pytest

from bot.errors import Conflict
from bot.services.alert_evaluation import AlertEvaluation
from tests.bot.services import power_world
from tests.bot.services.power_world import PlanWorld
from tests.bot.world import World

CHAIN = ["Restart in 10 minutes", "Restart in 5 minutes", "Restart in 1 minute", "SERVER_RESTART"]


@pytest.fixture
async def at_noon(world: World, monkeypatch: pytest.MonkeyPatch) -> PlanWorld:
    return await power_world.made(world, monkeypatch)


async def test_a_countdown_is_a_chain_that_ends_in_the_action(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    assert await at_noon.live() == ["Restart in 15 minutes", *CHAIN]
    assert await at_noon.do() == ["Restart in 15 minutes"]
    for minutes, said in ((5, CHAIN[0]), (5, CHAIN[1]), (4, CHAIN[2])):
        assert await at_noon.later(minutes=minutes - 0.1) == {}
        assert await at_noon.do() == []
        assert await at_noon.later(minutes=0.1) == {}
        assert await at_noon.do() == [said]
    assert await at_noon.later(minutes=1) == {"begin": 1}
    assert await at_noon.status() == [("running", None)]
    assert await at_noon.do() == ["SERVER_RESTART"]
    assert await at_noon.status() == [("done", None)]
    assert await at_noon.later(minutes=1) == {}


async def test_an_announcement_that_fails_or_never_comes_keeps_nothing_waiting(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    assert await at_noon.do("failed") == ["Restart in 15 minutes"]
    for minutes in (5, 1, 4, 1, 3):  # its host is away for most of it
        at_noon.clock.on(minutes=minutes)
        await at_noon.world.sweep.expiry()
    assert await at_noon.do() == ["Restart in 1 minute"]
    await at_noon.later(minutes=1)
    assert await at_noon.do() == ["SERVER_RESTART"]
    assert await at_noon.status() == [("done", None)]


@pytest.mark.parametrize("first", ["sweep", "tick"])
async def test_what_was_to_be_said_while_the_bot_was_away_is_not_said_later(at_noon: PlanWorld, first: str) -> None:
    """`in 10 minutes` would be wrong four minutes before it, and the restart must not wait for it either."""
    await at_noon.plan("in 15 min")
    await at_noon.do()
    at_noon.clock.on(minutes=11)
    if first == "sweep":
        await at_noon.world.sweep.expiry()
    assert await at_noon.do() == []
    assert await at_noon.later() == {}
    assert await at_noon.live() == CHAIN[2:]
    assert await at_noon.later(minutes=3) == {}
    assert await at_noon.do() == [CHAIN[2]]
    at_noon.clock.on(minutes=1)
    assert await at_noon.do() == ["SERVER_RESTART"]


async def test_a_host_that_stays_away_ends_the_plan(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 2 min")
    for _ in range(12):
        at_noon.clock.on(minutes=2)
        await at_noon.world.sweep.expiry()
        await at_noon.tick()
    ((status, outcome),) = await at_noon.status()
    assert (status, "for 15 minutes" in (outcome or "")) == ("expired", True)
    assert await at_noon.live() == []


async def test_a_time_that_is_far_becomes_a_countdown_when_it_is_near(at_noon: PlanWorld) -> None:
    await at_noon.plan("18:30", reason="update")
    assert await at_noon.do() == ["Restart in 6 hours 30 minutes: update"]
    assert await at_noon.later(hours=6, minutes=13.9) == {}
    assert await at_noon.live() == []  # schedules and people may go on until then
    assert await at_noon.later(minutes=0.1) == {"count": 1}
    assert (await at_noon.live())[0] == "Restart in 15 minutes: update"
    assert await at_noon.tick() == {}


@pytest.mark.parametrize(
    ("away", "step"), [(29.9, {"count": 1}), (30, {"count": 1}), (44.9, {"count": 1}), (45, {"expire": 1})]
)
async def test_a_bot_that_was_away_does_it_late_or_says_that_it_did_not(
    at_noon: PlanWorld, away: float, step: dict[str, int]
) -> None:
    await at_noon.plan("in 30 min")
    await at_noon.do()
    assert await at_noon.later(minutes=away) == step
    assert await at_noon.later(seconds=10) == ({"begin": 1} if "count" in step else {})
    assert (await at_noon.do())[:1] == (["SERVER_RESTART"] if "count" in step else ["Restart cancelled"])
    assert [status for status, _ in await at_noon.status()] == (["done"] if "count" in step else ["expired"])


async def test_when_empty_waits_for_a_fresh_word_and_gives_up(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty max 1h", action="stop")
    assert await at_noon.do() == ["Shutdown as soon as nobody is on"]
    assert await at_noon.later(1, minutes=20) == {}
    assert await at_noon.later(None, minutes=20) == {}
    await at_noon.report(0)
    at_noon.clock.on(minutes=5)  # that was said too long ago
    assert await at_noon.tick() == {}
    assert await at_noon.later(3, minutes=20) == {"expire": 1}
    assert await at_noon.status() == [("expired", "3 players are still on")]
    assert await at_noon.do() == ["Shutdown cancelled"]


async def test_what_an_older_version_has_ended_is_not_done_again(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    assert await at_noon.later(0) == {"act": 1}
    await at_noon.world.rows("update jobs set status = 'success', finished_at = now() where type = 'SERVER_RESTART'")
    assert await at_noon.later(0, minutes=1) == {"end": 1}
    assert await at_noon.status() == [("done", None)]


async def test_when_empty_acts_once(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    await at_noon.report(0)
    assert sorted(map(str, await asyncio.gather(at_noon.tick(), at_noon.tick())), key=len) == ["{}", "{'act': 1}"]
    assert await at_noon.do() == ["SERVER_RESTART"]
    assert await at_noon.status() == [("done", None)]


async def test_a_hold_ends_a_plan_and_refuses_another(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    await at_noon.do()
    await at_noon.holds.hold(await at_noon.person("Bob"), str(at_noon.server), "new map", "2h")
    assert await at_noon.later(seconds=5) == {}
    assert await at_noon.status() == [("cancelled", "it was held meanwhile: new map")]
    assert await at_noon.do() == ["Restart cancelled"]
    with pytest.raises(Conflict, match=r"held by Bob for .*: new map"):
        await at_noon.plan("in 15 min")
    token = await at_noon.ask(action="kill", reason="stuck")
    await at_noon.press(token, typed="EU1")
    assert await at_noon.do() == ["SERVER_KILL"]


@pytest.mark.parametrize("when", ["in 15 min", "18:30", "when empty"])
async def test_a_kill_passes_every_plan_and_ends_it(at_noon: PlanWorld, when: str) -> None:
    await at_noon.plan(when)
    await at_noon.do()
    token = await at_noon.ask(action="kill", reason="stuck")
    await at_noon.press(token, typed="EU1")
    assert await at_noon.status() == [("cancelled", "it was killed")]
    assert await at_noon.live() == ["SERVER_KILL"]


@pytest.mark.parametrize("when", ["in 15 min", "18:30", "when empty"])
async def test_a_server_that_goes_ends_its_plan_without_a_word(at_noon: PlanWorld, when: str) -> None:
    await at_noon.plan(when)
    await at_noon.do()
    await at_noon.world.rows("update server_instances set deleted_at = now()")
    at_noon.clock.on(minutes=1)
    assert await at_noon.tick() == {"cancel": 1}
    assert await at_noon.status() == [("cancelled", "its server was removed")]
    assert await at_noon.live() == []


async def test_a_server_that_was_stopped_meanwhile_is_not_started(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 15 min")
    await at_noon.do()
    assert await at_noon.later(None, "stopped", minutes=1) == {"cancel": 1}
    assert await at_noon.status() == [("cancelled", "it was stopped meanwhile")]
    assert await at_noon.live() == []
    with pytest.raises(Conflict, match="nothing to wait for"):
        await at_noon.plan("in 15 min")


async def test_another_restart_comes_before_a_wait_and_beside_a_time(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    at_noon.clock.on(minutes=1)
    await at_noon.plan("now", name="Bob")
    assert await at_noon.do() == ["SERVER_RESTART"]
    assert await at_noon.later(0, minutes=1) == {"cancel": 1}
    assert await at_noon.status() == [("cancelled", "J-2 (restart) came first")]
    await at_noon.do()
    await at_noon.plan("18:30")
    await at_noon.plan("now", name="Bob")
    await at_noon.do()
    assert await at_noon.later(minutes=1) == {}


async def test_a_job_that_is_under_way_is_waited_for(at_noon: PlanWorld) -> None:
    await at_noon.plan("when empty")
    await at_noon.do()
    other = await at_noon.world.enqueue(at_noon.host, at_noon.server)
    assert await at_noon.later(0, seconds=10) == {}
    await at_noon.world.jobs.cancel(await at_noon.person(), other.number)
    assert await at_noon.later(0, seconds=10) == {"act": 1}


async def test_a_game_that_cannot_tell_its_players_waits_all_the_same(at_noon: PlanWorld) -> None:
    await at_noon.capable("start", "stop", "restart")
    asked = await at_noon.power.ask(await at_noon.person(), str(at_noon.server), "restart", when_text="in 15 min")
    assert "cannot tell its players" in "\n".join(asked.effect)
    await at_noon.press(asked.token)
    assert await at_noon.live() == ["SERVER_RESTART"]


@pytest.mark.parametrize(("careful", "players"), [(True, 2), (False, 2), (True, 0), (True, None)])
async def test_a_bad_time_in_the_game_proposes_to_wait(at_noon: PlanWorld, careful: bool, players: int | None) -> None:
    await at_noon.world.rows("update orgs set avoid_risky_restart = :careful", careful=careful)
    await at_noon.report(players, caution=power_world.wire.Caution(name="blood moon", now=True))
    asked = await at_noon.power.ask(await at_noon.person(), str(at_noon.server), "restart")
    effect = "\n".join(asked.effect)
    assert ("**Blood moon now** in the game." in effect) == (players != 0)
    assert ("Better when nobody is on." in effect) == asked.choices_first == (careful and players != 0)
    assert [choice.key for choice in asked.choices] == ([] if players == 0 else ["empty", "soon"])


@pytest.mark.parametrize("action", ["stop", "restart"])
async def test_what_was_planned_raises_no_alarm(at_noon: PlanWorld, action: str) -> None:
    await at_noon.world.rows(
        """insert into alert_rules (org_id, name, type, condition, severity, cooldown_seconds, enabled)
           values (:org, 'down', 'server_down', '{"for_seconds": 0}', 'high', 300, true)""",
        org=at_noon.world.org_id,
    )
    evaluation = AlertEvaluation(at_noon.world.db)
    await at_noon.plan("when empty", action=action)
    await at_noon.do()
    await at_noon.later(0)
    job = await at_noon.world.started(at_noon.host)
    for state in ("stopping", "stopped"):
        await at_noon.report(None, state)
        assert await evaluation.states() == {}
        at_noon.clock.on(seconds=30)
    await at_noon.world.queue.finish(at_noon.host, job.run_id, power_world.result(job))
    await at_noon.later(None, "stopped" if action == "stop" else "running", minutes=5)
    assert await evaluation.states() == {}
    assert await at_noon.world.rows("select 1 from alert_firings") == []


async def test_a_hold_calls_off_what_is_due_before_anybody_looks(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 1 min")
    await at_noon.do()
    at_noon.clock.on(seconds=59)
    done = await at_noon.holds.hold(await at_noon.person(), str(at_noon.server), "new map")
    assert "The restart that was planned there is called off." in done.text
    assert "goes on" not in done.text
    at_noon.clock.on(seconds=1)
    assert await at_noon.do() == ["Restart cancelled"]
    assert await at_noon.status() == [("cancelled", "it was held meanwhile: new map")]


async def test_a_hold_leaves_what_is_under_way(at_noon: PlanWorld) -> None:
    await at_noon.plan("in 1 min")
    await at_noon.do()
    await at_noon.later(minutes=1)
    await at_noon.world.started(at_noon.host)
    done = await at_noon.holds.hold(await at_noon.person(), str(at_noon.server), "new map")
    assert "is waiting or under way there and goes on" in done.text
    assert "called off" not in done.text
