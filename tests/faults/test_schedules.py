"""kill -9 of the bot around the time of a schedule: the server restarts once, and the schedule knows how it went."""

from tests.faults.town import Town
from tests.wire.waiting import eventually


async def test_before_the_run_and_right_after_it_was_written(town: Town) -> None:
    asked = await town.command("schedule add", action="restart", when="every day at 4", server=town.server)
    saved = await town.discord.press(town.owner, await asked.answer(), "Save")
    assert "restart Navezgane is saved" in (await saved.answer()).text
    await town.bot.kill()
    await town.rows("update schedules set next_run_at = now() - interval '5 minutes'")  # nobody was there
    await town.bot.start()

    async def written() -> bool:
        return 3 in await town.jobs()

    await eventually(written, 30.0, lambda: "the job of the schedule")
    await town.bot.kill()
    await town.bot.start()
    await town.all_ended()
    assert town.game.starts == 2 and await town.jobs() == {1: "success", 2: "success", 3: "success"}
    schedule = await town.rows("select last_run_status, run_count, next_run_at > now() from schedules")
    assert schedule == [("success", 1, True)]
    runs = await town.rows("select actor_type, details -> 'numbers' from audit_logs where action = 'schedule.run'")
    assert runs == [("system", [3])]


async def test_a_warning_and_the_restart_are_in_the_games_own_log(town: Town) -> None:
    """A chain as people make it: the game says that it will be restarted, saves, goes down, and comes back."""
    options = {"action": "restart", "when": "every day at 4", "server": town.server, "warn": "1"}
    asked = await town.command("schedule add", **options)
    assert "1 min before" in (await asked.answer()).text
    await (await town.discord.press(town.owner, await asked.answer(), "Save")).answer()
    await town.rows("update schedule_tasks set time_offset_sec = 2 where sequence = 2")  # nobody waits for a minute
    await town.rows("update schedules set lead_sec = 2, next_run_at = now()")

    async def written() -> bool:
        return {3, 4} <= (await town.jobs()).keys()

    await eventually(written, 30.0, lambda: "the jobs of the schedule")
    await town.all_ended()
    assert await town.jobs() == dict.fromkeys((1, 2, 3, 4), "success")
    assert town.game.heard("Restart in 1 minute") == 1 and town.game.starts == 2
    after = town.game.log().partition("Restart in 1 minute")[2]
    assert "Executing command 'saveworld'" in after.partition("Preparing quit")[0]
    assert await town.rows("select last_run_status, run_count, failure_count from schedules") == [("success", 1, 0)]
