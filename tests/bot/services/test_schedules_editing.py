"""A schedule that is there: shown, changed, and run now."""

from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Conflict, Invalid, NotFound, NotPermitted
from bot.services.schedules_authors import ScheduleAuthors
from bot.services.schedules_editing import Change
from bot.services.schedules_showing import ScheduleShowing, Shown
from tests.bot.grants import deny
from tests.bot.people import MODERATORS, again
from tests.bot.services.schedules_world import Planned, at, bound
from tests.bot.world import World


async def unknown(_guild: int, _user: int) -> None:
    """Discord does not say."""


async def shown(planned: Planned, ref: str, actor: Any = None) -> Shown:
    showing = ScheduleShowing(planned.world.db, ScheduleAuthors(planned.world.db, unknown))
    return await showing.show(again(actor or planned.owner), ref)


async def test_what_is_left_out_stays_as_it_is(planned: Planned) -> None:
    await planned.add(warn="5", window="2-6", retries=2, catch_up=True)
    await planned.schedules.skip(again(planned.owner), "restart EU1", 1)
    done = await planned.edit("restart EU1", when="weekdays 5:30", name="early")
    assert done.title == "early is changed" and done.text.startswith("It runs next <t:")
    saved = await planned.schedule(
        "cron_expression", "next_run_at", "lead_sec", "max_retries", "catch_up", "skip_next", name="early"
    )
    assert saved == ("30 5 * * 1-5", at(5, 25) + timedelta(days=2), 300, 2, True, 1)
    assert [row[0] for row in await planned.world.rows("select job_type from schedule_tasks order by sequence")] == [
        "ANNOUNCE",
        "SERVER_RESTART",
    ]
    assert (await planned.world.audited())[-2:] == ["schedule.edit.ask", "schedule.edit"]


async def test_before_and_after_are_shown_before_anything_is_written(planned: Planned) -> None:
    await planned.add(action="announce", text="Hello", name="a")
    preview = await planned.editing.ask(again(planned.owner), "a", Change(text="Goodbye", only_empty=True))
    assert preview.before and preview.before.chain[0].text == "Hello" and not preview.before.only_empty
    assert [step.text for step in preview.plan.steps] == ["Goodbye"]
    assert len(preview.plan.runs) == 5 and preview.plan.wish.only_empty
    assert await planned.world.value("select payload ->> 'text' from schedule_tasks") == "Hello"
    preview = await planned.adding.with_step(again(planned.owner), preview.token, "announce", "Soon", "5m before", "")
    preview = await planned.adding.without_step(again(planned.owner), preview.token, 2)
    await planned.confirmations.press(again(planned.owner), preview.token)
    assert await planned.world.rows("select payload ->> 'text' from schedule_tasks") == [("Soon",)]


async def test_options_can_be_taken_back(planned: Planned) -> None:
    await planned.add(warn="15, 5", window="2-6", only_empty=True, overlap="queue", retries=1)
    none = {"warn": "none", "window": "none", "only_empty": False, "overlap": "skip", "retries": 0}
    await planned.edit("restart EU1", **none)
    saved = await planned.schedule("lead_sec", "execution_window_start", "only_when_empty", "overlap", "max_retries")
    assert saved == (0, None, False, "skip", 0)
    assert await planned.world.value("select count(*) from schedule_tasks") == 1


async def test_of_two_changes_at_once_the_second_is_refused(planned: Planned) -> None:
    await planned.add()
    previews = [
        await planned.editing.ask(again(planned.owner), "restart EU1", Change(when=f"daily at {hour}"))
        for hour in (5, 6)
    ]
    await planned.confirmations.press(again(planned.owner), previews[0].token)
    with pytest.raises(Conflict, match="Somebody else has changed restart EU1 meanwhile"):
        await planned.confirmations.press(again(planned.owner), previews[1].token)
    assert await planned.schedule("cron_expression") == "0 5 * * *"


async def test_a_paused_schedule_stays_paused(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    assert (await planned.edit("restart EU1", when="daily at 6")).text == "It is paused still."
    assert await planned.schedule("enabled", "next_run_at") == (False, None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(when="whenever"), "whenever, which is not understood"),
        (Change(when="0 0 31 2 *"), "This never comes"),
        (Change(zone="Mars/Olympus"), "Mars/Olympus is no time zone"),
        (Change(window="5-5"), "has no length"),
        (Change(text="hello"), "Nothing that it does takes a `text`"),
        (Change(name="n" * 65), "at most 64 printable characters"),
    ],
)
async def test_what_cannot_be_changed(planned: Planned, change: Change, words: str) -> None:
    await planned.add()
    with pytest.raises(Invalid) as refused:
        await planned.editing.ask(again(planned.owner), "restart EU1", change)
    assert words in refused.value.what


async def test_a_name_that_is_taken(planned: Planned) -> None:
    await planned.add(name="one")
    await planned.add(name="two")
    with pytest.raises(Conflict, match="There is a schedule called ONE already"):
        await planned.edit("two", name="ONE")
    await planned.edit("two", name="Two")
    assert await planned.schedule("name", name="Two") == "Two"


async def test_whoever_changes_it_may_do_it_everywhere_or_leaves_servers_out(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all")
    await bound(planned, "servers.view", "schedules.manage")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.edit("all", mia, when="daily at 6")
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    done = await planned.edit("all", mia, when="daily at 6")
    assert done.text.endswith("Left out, because you may not do it there: EU2.")
    assert await world.rows("select server_instance_id from schedule_exclusions") == [(other,)]
    preview = await planned.editing.ask(again(mia), "all", Change())
    with pytest.raises(NotPermitted, match=r"servers\.console"):
        await planned.adding.with_step(again(mia), preview.token, "console", "status", "", "")


async def test_a_removed_server_and_a_tag_without_servers(planned: Planned) -> None:
    await planned.tagged("eu", planned.server)
    await planned.add(name="one")
    await planned.add(name="all", server="", tag="eu")
    await planned.world.rows("update server_instances set deleted_at = now()")
    for act in (
        planned.editing.ask(again(planned.owner), "one", Change(when="daily at 6")),
        planned.running.ask(again(planned.owner), "one"),
    ):
        with pytest.raises(Conflict, match="its server EU1 was removed"):
            await act
    with pytest.raises(NotFound, match="No server has the tag eu"):
        await planned.edit("all", when="daily at 6")
    with pytest.raises(Conflict, match="No server has the tag eu"):
        await planned.run("all")
    assert (await shown(planned, "one")).schedule.server_gone


async def test_another_org_sees_changes_and_runs_nothing(planned: Planned) -> None:
    await planned.add()
    other = await World(planned.world.db, guild=2002).found()
    for ref in (str(await planned.schedule("id")), "restart EU1"):
        for act in (
            planned.editing.ask(other.admin(), ref, Change(when="daily at 6")),
            planned.running.ask(other.admin(), ref),
            ScheduleShowing(planned.world.db, ScheduleAuthors(planned.world.db, unknown)).show(other.admin(), ref),
        ):
            with pytest.raises(NotFound, match="There is no such schedule here"):
                await act


async def test_a_run_now_is_one_more_and_moves_nothing(planned: Planned) -> None:
    await planned.add(warn="5")
    before = await planned.schedule("next_run_at")
    done = await planned.run("restart EU1")
    assert done.title == "restart EU1 runs now" and done.text == "`J-1`, `J-2`"
    found = await planned.schedule("next_run_at", "run_count", "last_run_status")
    assert found == (before, 1, "enqueued")
    jobs = await planned.world.rows("select type, status, not_before from jobs order by number")
    assert jobs == [
        ("ANNOUNCE", "queued", at(12)),
        ("SERVER_RESTART", "held", at(12, 5)),
    ]
    with pytest.raises(Conflict, match="Nothing was done: EU1: J-1 is waiting or under way there"):
        await planned.run("restart EU1")
    await planned.finish()
    planned.clock.on(minutes=5)
    await planned.finish()
    assert await planned.schedule("last_run_status", "next_run_at") == ("success", before)


async def test_a_paused_schedule_can_be_run(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    await planned.run("restart EU1")
    assert await planned.schedule("enabled", "run_count") == (False, 1)


async def test_running_it_needs_what_it_does(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all")
    await bound(planned, "servers.view", "schedules.manage")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.running.ask(again(mia), "all")
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    done = await planned.run("all", mia)
    assert done.text.splitlines() == ["`J-1`", "Left out, because you may not do it there: EU2."]
    assert await world.value("select count(*) from schedule_exclusions") == 0, "for this run only"


async def test_a_card_says_what_there_is_to_know(planned: Planned) -> None:
    await planned.tagged("eu", planned.server)
    await planned.add(server="", tag="eu", name="all", warn="5")
    found = await shown(planned, "all")
    assert (found.servers, found.manages, len(found.runs)) == (["EU1"], True, 5)
    assert found.wish and [step.action for step in found.wish.chain] == ["announce", "restart"]
    assert found.times and [found.times.time_of(run).hour for run in found.runs] == [4] * 5
    await planned.schedules.pause(again(planned.owner), "all", "")
    assert (await shown(planned, "all")).runs == ()
    await planned.world.rows("update schedule_tasks set job_type = 'TELEPORT'")
    assert (await shown(planned, "all")).wish is None


async def test_a_card_is_for_those_who_see_a_server_of_it(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(name="there", server=str(other))
    await planned.add(name="all", server="", tag="eu")
    await bound(planned, "servers.view", "schedules.view")
    await deny(world, mia, "servers.view", other)
    planned.people.identity.forget()
    mia = await planned.people.actor("mia", MODERATORS)
    with pytest.raises(NotPermitted, match=r"servers\.view"):
        await shown(planned, "there", mia)
    found = await shown(planned, "all", mia)
    assert found.servers == ["EU1", "1 more that you do not see"] and not found.manages


async def test_warnings_in_somebodys_own_words_stay_when_the_form_repeats_their_minutes(planned: Planned) -> None:
    for name, action, text in (("one", "restart", ""), ("two", "console", "save")):
        preview = await planned.adding.ask(again(planned.owner), planned.wish(action=action, text=text, name=name))
        warning = ("announce", "Store your loot!", "90 seconds before", "")
        preview = await planned.adding.with_step(again(planned.owner), preview.token, *warning)
        await planned.confirmations.press(again(planned.owner), preview.token)
        await planned.edit(name, when="daily at 6", warn="2")
    said = await planned.world.rows("select payload ->> 'text' from schedule_tasks where job_type = 'ANNOUNCE'")
    assert said == [("Store your loot!",)] * 2
    await planned.edit("one", warn="5")
    assert ("Restart in 5 minutes",) in await planned.world.rows("select payload ->> 'text' from schedule_tasks")


async def test_a_schedule_that_only_warns_of_nothing_says_so(planned: Planned) -> None:
    preview = await planned.adding.ask(again(planned.owner), planned.wish(warn="5", name="one"))
    preview = await planned.adding.without_step(again(planned.owner), preview.token, 2)
    await planned.confirmations.press(again(planned.owner), preview.token)
    for warn in ("15", "none"):
        with pytest.raises(Invalid, match="there is nothing else to warn of"):
            await planned.edit("one", warn=warn)


async def test_a_run_that_has_begun_with_its_warnings_does_not_begin_again(planned: Planned) -> None:
    await planned.add(warn="15", overlap="queue")
    planned.clock.to(3, 46)
    await planned.due.tick()
    await planned.edit("restart EU1", warn="5")
    tomorrow = planned.clock.time.replace(hour=3, minute=55) + timedelta(days=1)
    assert await planned.schedule("next_run_at") == tomorrow
    planned.clock.to(4, 5)
    await planned.edit("restart EU1", when="daily at 5")
    assert await planned.schedule("next_run_at") == planned.clock.time.replace(hour=4, minute=55)


async def test_nor_where_it_is_changed_paused_and_resumed(planned: Planned) -> None:
    await planned.add(warn="15", overlap="queue")
    planned.clock.to(3, 46)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    await planned.edit("restart EU1", warn="5")
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    await planned.edit("restart EU1", warn="10")
    await planned.schedules.resume(again(planned.owner), "restart EU1")
    assert await planned.schedule("next_run_at") == planned.clock.time.replace(hour=3, minute=50) + timedelta(days=1)
    planned.clock.to(3, 56)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}


async def test_nor_is_it_shown_as_one_that_is_still_to_come(planned: Planned) -> None:
    await planned.add(warn="15", overlap="queue")
    planned.clock.to(3, 46)
    await planned.due.tick()
    await planned.edit("restart EU1", warn="5")
    tomorrow = planned.clock.time.replace(hour=3, minute=55) + timedelta(days=1)
    assert (await shown(planned, "restart EU1")).runs[0] == tomorrow == await planned.schedule("next_run_at")
    preview = await planned.editing.ask(again(planned.owner), "restart EU1", Change(retries=1))
    step = ("announce", "Store your loot!", "2 minutes before", "")
    preview = await planned.adding.with_step(again(planned.owner), preview.token, *step)
    assert preview.plan.runs[0] == tomorrow
    await planned.confirmations.press(again(planned.owner), preview.token)
    assert await planned.schedule("next_run_at") == tomorrow


async def test_what_a_pause_leaves_out_is_not_shown_as_next(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.pause(again(planned.owner), "restart EU1", "monday 4:00")
    monday = at(4) + timedelta(days=2)
    assert (await shown(planned, "restart EU1")).runs[0] == monday, "when the pause is over"


async def test_a_schedule_whose_time_never_comes_any_more_can_be_removed(planned: Planned) -> None:
    await planned.add()
    await planned.world.rows("update schedules set cron_expression = '0 4 31 2 *'")
    question = await planned.schedules.ask_remove(again(planned.owner), "restart EU1")
    await planned.confirmations.press(again(planned.owner), question.token)
    assert await planned.world.value("select count(*) from schedules") == 0


async def test_a_run_that_is_due_is_done_although_somebody_saves_a_change(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4, 0, 1)
    await planned.edit("restart EU1", retries=2)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    assert await planned.schedule("next_run_at") == at(4) + timedelta(days=2)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}
