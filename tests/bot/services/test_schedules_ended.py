"""How the ends of jobs become the result of a schedule's run."""

import pytest

from tests.bot.services.schedules_world import Planned


async def test_the_result_is_written_on_the_schedule(planned: Planned) -> None:
    await planned.add()
    for outcome, status, counts in (
        ("failed", "failed", (1, 1)),
        ("failed", "failed", (2, 2)),
        ("success", "success", (2, 0)),
        ("unknown", "failed", (3, 1)),
    ):
        planned.clock.to(4)
        await planned.due.tick()
        assert await planned.schedule("last_run_status") == "enqueued"
        await planned.finish(outcome)
        assert await planned.schedule("last_run_status") == status
        assert await planned.schedule("failure_count", "consecutive_failures") == counts
    assert await planned.schedule("run_count") == 4


async def test_an_expired_job_is_a_failure_and_a_cancelled_one_is_none(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4)
    await planned.due.tick()
    planned.clock.on(minutes=20)
    assert await planned.world.sweep.expiry() == {"expired": 1}
    assert await planned.schedule("last_run_status", "consecutive_failures") == ("failed", 1)
    planned.clock.to(4)
    await planned.due.tick()
    number = await planned.world.value("select max(number) from jobs")
    await planned.world.jobs.cancel(planned.world.admin(), number)
    assert await planned.schedule("last_run_status", "consecutive_failures") == ("skipped", 1)


async def test_the_ends_of_a_runs_jobs_at_once_make_one_success(planned: Planned) -> None:
    servers = [planned.server, *[await planned.world.server(planned.host, f"EU{n}") for n in range(2, 8)]]
    await planned.tagged("eu", *servers)
    await planned.add(server="", tag="eu", name="all", action="announce", text="Soon!")
    planned.clock.to(4)
    await planned.due.tick()
    await planned.finish(*["success"] * 7)
    assert await planned.jobs() == ["success"] * 7
    assert await planned.schedule("last_run_status", name="all") == "success"


@pytest.mark.parametrize("first", ["success", "cancelled"])
async def test_a_cancelled_job_does_not_count_unless_all_are(planned: Planned, first: str) -> None:
    await planned.tagged("eu", planned.server, await planned.world.server(planned.host, "EU2"))
    await planned.add(server="", tag="eu", name="all", action="announce", text="Soon!")
    planned.clock.to(4)
    await planned.due.tick()
    if first == "success":
        await planned.finish()
    for (number,) in await planned.world.rows("select number from jobs where status = 'queued' order by number"):
        assert await planned.schedule("last_run_status", name="all") == "enqueued"
        await planned.world.jobs.cancel(planned.world.admin(), number)
    assert await planned.schedule("last_run_status", name="all") == ("success" if first == "success" else "skipped")


async def test_a_run_whose_first_job_is_cancelled_is_what_the_others_are(planned: Planned) -> None:
    await planned.tagged("eu", planned.server, await planned.world.server(planned.host, "EU2"))
    await planned.add(server="", tag="eu", name="all", action="announce", text="Soon!")
    for outcome in ("success", "failed"):
        planned.clock.to(4)
        await planned.due.tick()
        number = await planned.world.value("select min(number) from jobs where status = 'queued'")
        await planned.world.jobs.cancel(planned.world.admin(), number)
        assert await planned.schedule("last_run_status", name="all") == "enqueued"
        await planned.finish(outcome)
        assert await planned.schedule("last_run_status", name="all") == outcome
