"""Schedules of several steps: a chain of jobs on each server, released step by step, and what a run was in the end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.actors import Actor
from bot.errors import Conflict, Invalid, NotFound
from bot.services.power import Power
from tests.bot.people import again
from tests.bot.services.schedules_world import Planned, at
from tests.bot.world import World, progress, result

TOMORROW = timedelta(days=1)


async def chain(planned: Planned) -> list[Any]:
    """Type, status, time and whether it needs the one before it, of every job of a schedule, oldest first."""
    return list(
        await planned.world.rows(
            """select type, status, not_before, after_any from jobs where source = 'schedule' order by number"""
        )
    )


async def test_players_are_warned_before_its_time(planned: Planned) -> None:
    await planned.add(warn="15, 5")
    assert await planned.schedule("next_run_at", "lead_sec") == (at(3, 45) + TOMORROW, 900)
    planned.clock.to(3, 45, 10)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    assert await chain(planned) == [
        ("ANNOUNCE", "queued", at(3, 45) + TOMORROW, False),
        ("ANNOUNCE", "held", at(3, 55) + TOMORROW, True),
        ("SERVER_RESTART", "held", at(4) + TOMORROW, True),
    ]
    said = await planned.world.rows("select payload ->> 'text' from jobs where type = 'ANNOUNCE' order by number")
    assert said == [("Restart in 15 minutes",), ("Restart in 5 minutes",)]
    await planned.finish()
    assert [status for _, status, _, _ in await chain(planned)] == ["success", "queued", "held"]
    assert await planned.world.claim(planned.host) == [], "it is not 3:55"
    planned.clock.to(3, 55)
    await planned.finish("failed")
    assert await planned.schedule("last_run_status", "failure_count") == ("enqueued", 0), "a warning stops nothing"
    planned.clock.to(4)
    await planned.finish()
    assert await planned.schedule("last_run_status", "failure_count") == ("success", 0)


async def test_what_stops_a_chain_is_a_failure_of_the_run(planned: Planned) -> None:
    await steps(planned, ("console", "save", "before", "stop"), ("announce", "Back soon", "1 minute after", ""))
    planned.clock.to(4)
    await planned.due.tick()
    assert [one[0] for one in await chain(planned)] == ["CONSOLE_COMMAND", "SERVER_RESTART", "ANNOUNCE"]
    await planned.finish("failed")
    assert [one[1] for one in await chain(planned)] == ["failed", "cancelled", "cancelled"]
    found = await planned.schedule("last_run_status", "failure_count", "consecutive_failures")
    assert found == ("failed", 1, 1)
    planned.clock.to(4)
    await planned.due.tick()
    await planned.finish()
    await planned.finish()
    assert await planned.schedule("last_run_status") == "enqueued", "its last step is to come"
    planned.clock.on(minutes=1)
    await planned.finish()
    assert await planned.schedule("last_run_status", "consecutive_failures") == ("success", 0)


async def test_a_last_step_that_fails_fails_the_run(planned: Planned) -> None:
    await steps(planned, ("announce", "Back soon", "after", "stop"))
    planned.clock.to(4)
    await planned.due.tick()
    await planned.finish()
    await planned.finish("failed")
    assert await planned.schedule("last_run_status", "failure_count") == ("failed", 1)


async def test_a_step_that_may_fail_does_not(planned: Planned) -> None:
    await steps(planned, ("console", "save", "before", "go on"))
    planned.clock.to(4)
    await planned.due.tick()
    await planned.finish("failed")
    await planned.finish()
    assert await planned.schedule("last_run_status", "failure_count") == ("success", 0)


async def test_a_chain_is_cancelled_from_where_somebody_cancels_it(planned: Planned) -> None:
    await steps(planned, ("console", "save", "before", "stop"))
    planned.clock.to(4)
    await planned.due.tick()
    number = await planned.world.value("select min(number) from jobs")
    await planned.world.jobs.cancel(planned.world.admin(), number)
    assert [one[1] for one in await chain(planned)] == ["cancelled", "cancelled"]
    assert await planned.schedule("last_run_status", "failure_count") == ("skipped", 0)


async def test_whoever_cancels_a_restart_cancels_what_announces_it(planned: Planned) -> None:
    await planned.add(warn="15, 5, 1")
    planned.clock.to(3, 45)
    await planned.due.tick()
    await planned.finish()
    done = await Power(planned.world.db, planned.world.jobs).cancel(again(planned.owner), "EU1")
    assert "J-4" in done.title
    assert [one[1] for one in await chain(planned)] == ["success", "cancelled", "cancelled", "cancelled"]
    assert await planned.schedule("last_run_status", "failure_count") == ("skipped", 0)
    numbers = await planned.world.value("select details -> 'followers' from audit_logs where action = 'job.cancel'")
    assert numbers == [2, 3]


async def test_chains_on_several_servers_are_one_run(planned: Planned) -> None:
    other = await planned.world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all", warn="5", action="stop")
    planned.clock.to(3, 55)
    await planned.due.tick()
    await planned.finish("success", "failed")
    planned.clock.to(4)
    await planned.finish("success", "success")
    assert [one[1] for one in await chain(planned)] == ["success", "success", "failed", "success"]
    assert await planned.schedule("last_run_status", "failure_count", "run_count", name="all") == ("success", 0, 1)


async def test_stop_and_start_in_one_chain(planned: Planned) -> None:
    await steps(planned, ("start", "", "10 minutes after", "stop"), action="stop")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    assert [one[0] for one in await chain(planned)] == ["SERVER_STOP", "SERVER_START"]
    assert [one[0] for one in await planned.world.rows("select dedupe_key from jobs order by number")] == [
        f"power:{planned.server}",
        None,
    ]


async def test_the_distances_stay_when_a_run_begins_late(planned: Planned) -> None:
    await planned.add(warn="5")
    planned.clock.to(3, 59)
    await planned.due.tick()
    assert [one[2] for one in await chain(planned)] == [at(3, 59) + TOMORROW, at(4, 4) + TOMORROW]
    planned.clock.to(4)
    await planned.finish()
    assert [one[2] for one in await chain(planned)][1] == at(4, 4) + TOMORROW


async def steps(planned: Planned, *wanted: tuple[str, str, str, str], action: str = "restart", **changed: Any) -> None:
    """Adds a schedule and, on its preview, these steps: action, text, place, what a failure means."""
    preview = await planned.adding.ask(
        again(planned.owner), planned.wish(**{"action": action, "name": "restart EU1", **changed})
    )
    for step in wanted:
        preview = await planned.adding.with_step(again(planned.owner), preview.token, *step)
    await planned.confirmations.press(again(planned.owner), preview.token)


async def test_steps_are_added_and_taken_out_on_the_preview(planned: Planned) -> None:
    preview = await planned.adding.ask(again(planned.owner), planned.wish(warn="5"))
    first = preview.token
    preview = await planned.adding.with_step(again(planned.owner), first, "console", "save", "right before", "")
    assert [(one.action, one.offset) for one in preview.plan.steps] == [
        ("announce", -300),
        ("console", 0),
        ("restart", 0),
    ]
    done = await planned.confirmations.press(again(planned.owner), first)
    assert done.text == "Nothing was saved by this one; press Save on the newer one."
    with pytest.raises(Conflict, match="This was saved or changed already"):
        await planned.adding.with_step(again(planned.owner), first, "console", "save", "", "")
    preview = await planned.adding.without_step(again(planned.owner), preview.token, 1)
    assert [one.action for one in preview.plan.steps] == ["console", "restart"]
    for _ in range(3):
        preview = await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Hi", "", "")
    with pytest.raises(Invalid, match="has 5 steps at most; this would be 6"):
        await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Hi", "", "")
    with pytest.raises(Invalid, match="soonish is no time of a step"):
        await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Hi", "soonish", "")
    with pytest.raises(Invalid, match="can `stop` or `go on`"):
        await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Hi", "", "explode")
    await planned.confirmations.press(again(planned.owner), preview.token)
    rows = await planned.world.rows("select sequence, job_type, time_offset_sec from schedule_tasks order by sequence")
    assert rows == [
        (1, "CONSOLE_COMMAND", 0),
        (2, "SERVER_RESTART", 0),
        *((n, "ANNOUNCE", 0) for n in (3, 4, 5)),
    ]


async def test_a_run_that_waits_comes_after_the_one_before_and_only_one_waits(planned: Planned) -> None:
    warning = ("announce", "Saving in 5 minutes", "5 minutes before", "")
    await steps(planned, warning, action="console", text="save", when="hourly", name="h", overlap="queue")
    planned.clock.to(12, 55)
    await planned.due.tick()
    await planned.finish()
    planned.clock.to(13)
    job = await planned.world.started(planned.host)
    for hour in (13, 14):
        planned.clock.to(hour, 55)
        await planned.due.tick()
    assert [one[1] for one in await chain(planned)] == ["success", "running", "held", "held"]
    assert await planned.schedule("last_run_status", "run_count", name="h") == ("skipped_busy", 2)
    planned.clock.to(15, 10)
    await planned.world.queue.finish(planned.host, job.run_id, result(job, "failed"))
    assert [one[1:3] for one in await chain(planned)][2:] == [("queued", at(15, 10)), ("held", at(14))]
    await planned.finish()
    assert (await chain(planned))[3][2] == at(15, 15), "five minutes are five minutes"
    planned.clock.to(15, 15)
    await planned.finish()
    found = await planned.schedule("last_run_status", "failure_count", "consecutive_failures", name="h")
    assert found == ("skipped_busy", 1, 0), "what came last was left out; what succeeded ends the row of failures"


async def test_a_run_that_waits_for_somebody_elses_restart(planned: Planned) -> None:
    await planned.add(overlap="queue")
    planned.clock.to(4)
    await planned.world.enqueue(planned.host, planned.server, dedupe_key=f"power:{planned.server}")
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    job = (await planned.world.claim(planned.host))[0]
    await planned.world.queue.progress(planned.host, job.run_id, progress(job))
    await planned.world.queue.finish(planned.host, job.run_id, result(job))
    assert [one[1] for one in await chain(planned)] == ["queued"]


async def test_what_failed_is_tried_again_as_often_as_the_schedule_says(planned: Planned) -> None:
    await planned.add(retries=2, backoff=60)
    planned.clock.to(4)
    await planned.due.tick()
    assert await planned.world.rows("select max_attempts, backoff_sec from jobs") == [(3, 60)]
    await planned.finish("failed")
    assert await planned.schedule("last_run_status", "failure_count") == ("enqueued", 0)
    assert await planned.jobs() == ["queued"] and await planned.world.claim(planned.host) == []
    planned.clock.on(seconds=61)
    await planned.finish("failed")
    planned.clock.on(seconds=121)
    await planned.finish("failed")
    assert await planned.schedule("last_run_status", "failure_count") == ("failed", 1)


async def test_without_retries_what_could_harm_is_done_once(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4)
    await planned.due.tick()
    assert await planned.world.value("select max_attempts from jobs") == 1


async def test_a_warning_that_is_left_out_makes_nothing_late(planned: Planned) -> None:
    await steps(planned, ("console", "save", "5 minutes after", "go on"), warn="15")
    await planned.world.rows("update server_instances set status = 'crashed'")
    planned.clock.to(3, 45)
    await planned.due.tick()
    planned.clock.to(4)
    await planned.finish()
    assert [one[2] for one in await chain(planned)] == [at(4) + TOMORROW, at(4, 5) + TOMORROW]


async def test_a_question_of_another_guild_is_not_there_even_for_whoever_it_was_put_to(planned: Planned) -> None:
    token = (await planned.adding.ask(again(planned.owner), planned.wish(warn="5"))).token
    other = await World(planned.world.db, guild=2002).found()

    def elsewhere() -> Actor:
        return replace(again(planned.owner), org_id=other.org_id, guild_id=other.guild)

    with pytest.raises(NotFound, match="nothing to save here"):
        await planned.adding.with_step(elsewhere(), token, "console", "save", "right before", "")
    with pytest.raises(NotFound, match="nothing to save here"):
        await planned.adding.without_step(elsewhere(), token, 1)
    preview = await planned.adding.without_step(again(planned.owner), token, 1)
    assert [one.action for one in preview.plan.steps] == ["restart"]
