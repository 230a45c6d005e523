"""Schedules as people make and steer them: what is understood, shown, refused, and who may."""

from datetime import timedelta
from typing import Any

import pytest

from bot.errors import AppError, Conflict, Invalid, NotFound, NotPermitted, Unsupported
from bot.services.confirmations import Done
from tests.bot.people import MODERATORS, again
from tests.bot.services.schedules_world import Planned, at, bound
from tests.bot.world import World


async def refused(planned: Planned, kind: type[AppError], words: str, **changed: Any) -> None:
    with pytest.raises(kind) as error:
        await planned.add(**changed)
    assert words in f"{error.value.what} {error.value.remedy}"
    assert await planned.world.value("select count(*) from schedules") == 0


async def test_what_is_saved_is_what_was_shown(planned: Planned) -> None:
    wish = planned.wish(action="announce", text=" Vote @everyone! ", when="weekdays 6:30", zone="berlin", catch_up=True)
    preview = await planned.adding.ask(again(planned.owner), wish)
    plan = preview.plan
    assert (plan.cron.expression, plan.wish.zone, plan.wish.name) == ("30 6 * * 1-5", "Europe/Berlin", "announce EU1")
    assert plan.runs[0] == at(5, 30) + timedelta(days=2) and len(plan.runs) == 5 and preview.told is False
    assert await planned.world.value("select count(*) from schedules") == 0
    await planned.confirmations.press(again(planned.owner), preview.token)
    saved = await planned.schedule(
        "cron_expression",
        "timezone",
        "catch_up",
        "next_run_at",
        "enabled",
        "server_instance_id",
        "tag",
        name="announce EU1",
    )
    assert saved == ("30 6 * * 1-5", "Europe/Berlin", True, plan.runs[0], True, planned.server, None)
    (task,) = await planned.world.rows("select sequence, job_type, payload from schedule_tasks")
    assert task == (1, "ANNOUNCE", {"type": "ANNOUNCE", "text": "Vote @everyone!"})


async def test_the_orgs_zone_counts_without_another(planned: Planned) -> None:
    await planned.world.rows("update orgs set timezone = 'America/New_York'")
    preview = await planned.adding.ask(again(planned.owner), planned.wish())
    assert preview.plan.wish.zone == "America/New_York" and preview.plan.runs[0].hour == 9


async def test_names_are_numbered_and_unique(planned: Planned) -> None:
    for name in ("restart EU1", "restart EU1 2", "restart EU1 3"):
        done = await planned.add()
        assert done.title == f"{name} is saved"
    await planned.add(name="  Nightly   reset ")
    assert await planned.schedule("name", name="Nightly reset")
    with pytest.raises(Conflict, match="There is a schedule called nightly reset already"):
        await planned.add(name="nightly reset")


async def test_the_same_name_saved_twice_at_once_is_refused_once(planned: Planned) -> None:
    previews = [await planned.adding.ask(again(planned.owner), planned.wish(name="one")) for _ in range(2)]
    await planned.confirmations.press(again(planned.owner), previews[0].token)
    with pytest.raises(Conflict, match="There is a schedule called one already"):
        await planned.confirmations.press(again(planned.owner), previews[1].token)
    assert await planned.world.value("select count(*) from schedules") == 1


async def test_a_second_press_saves_nothing_more(planned: Planned) -> None:
    preview = await planned.adding.ask(again(planned.owner), planned.wish())
    first, second = [await planned.confirmations.press(again(planned.owner), preview.token) for _ in range(2)]
    assert first == second and await planned.world.value("select count(*) from schedules") == 1


@pytest.mark.parametrize(
    ("changed", "kind", "words"),
    [
        ({"action": "wipe"}, Invalid, "wipe is nothing that a schedule can do. It can restart, stop,"),
        ({"when": "tomorrow"}, Invalid, "tomorrow, which is not understood"),
        ({"when": "0 0 31 2 *"}, Invalid, "This never comes"),
        ({"when": "every minute"}, Invalid, "5 minutes is the least"),
        ({"when": "x" * 3_000_000}, Invalid, "has 3000000 characters; it takes 200"),
        ({"zone": "Mars/Olympus"}, Invalid, "Mars/Olympus is no time zone"),
        ({"tag": "eu"}, Invalid, "this has both `server` and `tag`"),
        ({"server": ""}, Invalid, "this has neither `server` nor `tag`"),
        ({"server": "", "tag": "eu"}, NotFound, "No server has the tag eu. `/fleet tag` gives servers their tags."),
        ({"server": "", "tag": "EU\n@everyone"}, NotFound, "No server has the tag eu @\u200beveryone"),
        ({"server": "nowhere"}, NotFound, "There is no such server here"),
        ({"text": "hello"}, Invalid, "takes no `text`"),
        ({"action": "announce"}, Invalid, "The text is empty"),
        ({"action": "announce", "text": "a\nb"}, Invalid, "has a line break, which would be a second command"),
        ({"action": "console", "text": "say 1\rquit"}, Invalid, "has a line break"),
        ({"action": "console", "text": "x" * 3_000_000}, Invalid, "has 3000000 characters; a console takes 512"),
        ({"name": "n" * 65}, Invalid, "at most 64 printable characters"),
        ({"name": "a\u202eb"}, Invalid, "at most 64 printable characters"),
    ],
)
async def test_what_cannot_be_saved(
    planned: Planned, changed: dict[str, Any], kind: type[AppError], words: str
) -> None:
    await refused(planned, kind, words, **changed)


async def test_what_the_game_cannot_do(planned: Planned) -> None:
    await planned.capable("start", "stop")
    await refused(planned, Unsupported, "does not support `restart` here")


async def test_a_tag_is_for_those_that_can(planned: Planned) -> None:
    other = await planned.world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    preview = await planned.adding.ask(again(planned.owner), planned.wish(server="", tag=" EU "))
    assert [server.name for server in preview.plan.servers] == ["EU1", "EU2"]
    assert preview.plan.wish.name == "restart eu"


async def test_the_actions_permission_is_needed_on_every_server(planned: Planned) -> None:
    other = await planned.world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    mod = await planned.people.actor("mia", MODERATORS)
    await bound(planned, "schedules.manage")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.add(mod)
    await bound(planned, "servers.restart")
    with pytest.raises(NotPermitted, match=r"schedules\.manage"):
        await planned.add(mod)
    await bound(planned, "schedules.manage", "servers.restart", server=planned.server)
    await planned.add(mod)
    with pytest.raises(NotPermitted):
        await planned.add(mod, server=str(other))
    await bound(planned, "schedules.manage", "servers.restart")
    await planned.add(mod, server=str(other))
    assert await planned.world.value("select count(*) from schedules") == 2


async def test_a_permission_that_goes_between_preview_and_save_counts(planned: Planned) -> None:
    mod = await planned.people.actor("mia", MODERATORS)
    await bound(planned, "schedules.manage", "servers.restart")
    preview = await planned.adding.ask(again(mod), planned.wish())
    await bound(planned, "schedules.manage")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.confirmations.press(again(mod), preview.token)
    assert await planned.world.value("select count(*) from schedules") == 0


async def test_a_server_that_goes_between_preview_and_save_counts(planned: Planned) -> None:
    preview = await planned.adding.ask(again(planned.owner), planned.wish())
    await planned.world.rows("update server_instances set deleted_at = now()")
    with pytest.raises(NotFound, match="no such server"):
        await planned.confirmations.press(again(planned.owner), preview.token)


async def test_a_schedule_runs_on_without_its_authors_permission(planned: Planned) -> None:
    mod = await planned.people.actor("mia", MODERATORS)
    await bound(planned, "schedules.manage", "servers.restart")
    await planned.add(mod)
    await bound(planned)
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_skipped_runs_are_counted_down(planned: Planned) -> None:
    await planned.add()
    done = await planned.schedules.skip(again(planned.owner), "Restart eu1", 2)
    assert done.title == "The next 2 runs are left out"
    assert f"<t:{(at(4) + timedelta(days=3)).timestamp():.0f}:f>" in done.text
    for status in ("skipped", "skipped", "enqueued"):
        planned.clock.to(4)
        await planned.due.tick()
        assert await planned.schedule("last_run_status") == status
    assert await planned.schedule("skip_next", "run_count") == (0, 1)


async def test_skipping_can_be_taken_back(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.skip(again(planned.owner), "restart EU1", 5)
    done = await planned.schedules.skip(again(planned.owner), "restart EU1", 0)
    assert done.title == "restart EU1 skips nothing" and await planned.schedule("skip_next") == 0


async def test_a_pause_ends_by_itself(planned: Planned) -> None:
    await planned.add()
    done = await planned.schedules.pause(again(planned.owner), "restart EU1", "2d")
    assert done.text == f"Until <t:{(at(12) + timedelta(days=2)).timestamp():.0f}:f>."
    for status in ("skipped", "skipped", "enqueued"):
        planned.clock.to(4)
        await planned.due.tick()
        assert await planned.schedule("last_run_status") == status


async def test_a_pause_without_an_end_lasts_until_it_is_resumed(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    assert await planned.schedule("enabled", "next_run_at") == (False, None)
    planned.clock.on(days=9)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}
    with pytest.raises(Conflict, match="is paused already"):
        await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    with pytest.raises(Conflict, match="is paused, so it does not run"):
        await planned.schedules.skip(again(planned.owner), "restart EU1", 1)
    done = await planned.schedules.resume(again(planned.owner), "restart EU1")
    assert done.text == f"Next <t:{(at(4) + timedelta(days=10)).timestamp():.0f}:f>."
    with pytest.raises(Conflict, match="is not paused"):
        await planned.schedules.resume(again(planned.owner), "restart EU1")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_what_another_version_does_is_not_resumed_by_this_one(planned: Planned) -> None:
    await planned.add()
    await planned.world.rows("update schedule_tasks set job_type = 'TELEPORT'")
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    with pytest.raises(Conflict, match="This version of the bot cannot do what restart EU1 does"):
        await planned.schedules.resume(again(planned.owner), "restart EU1")


async def test_a_pause_can_get_an_end_later(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.pause(again(planned.owner), "restart EU1", "")
    await planned.schedules.pause(again(planned.owner), "restart EU1", "1h")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_a_moment_that_is_none_pauses_nothing(planned: Planned) -> None:
    await planned.add()
    with pytest.raises(Invalid, match="soonish is no moment"):
        await planned.schedules.pause(again(planned.owner), "restart EU1", "soonish")
    assert await planned.schedule("enabled", "paused_until") == (True, None)


async def removed(planned: Planned) -> Done:
    question = await planned.schedules.ask_remove(again(planned.owner), "restart EU1")
    return await planned.confirmations.press(again(planned.owner), question.token)


async def test_a_removed_schedule_leaves_its_jobs(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4)
    await planned.due.tick()
    assert (await removed(planned)).title == "restart EU1 is removed"
    assert await planned.world.value("select count(*) from schedules") == 0
    assert await planned.world.rows("select status, schedule_id from jobs") == [("queued", None)]
    await planned.finish()
    assert (await planned.jobs(), await planned.due.tick()) == (["success"], {"enqueued": 0, "skipped": 0})


async def test_a_schedule_of_a_removed_server_says_so(planned: Planned) -> None:
    await planned.add()
    await planned.world.rows("update server_instances set deleted_at = now()")
    for change in (
        planned.schedules.skip(again(planned.owner), "restart EU1", 1),
        planned.schedules.pause(again(planned.owner), "restart EU1", ""),
        planned.schedules.resume(again(planned.owner), "restart EU1"),
    ):
        with pytest.raises(Conflict, match="its server EU1 was removed"):
            await change
    (row,) = (await planned.schedules.list(planned.owner)).rows
    assert row.server_gone
    assert (await removed(planned)).title == "restart EU1 is removed"


async def test_steering_needs_a_permission_and_resuming_the_actions_too(planned: Planned) -> None:
    await planned.add()
    mod = await planned.people.actor("mia", MODERATORS)
    await bound(planned, "schedules.view")
    for change in (
        planned.schedules.skip(again(mod), "restart EU1", 1),
        planned.schedules.pause(again(mod), "restart EU1", ""),
        planned.schedules.ask_remove(again(mod), "restart EU1"),
    ):
        with pytest.raises(NotPermitted, match=r"schedules\.manage"):
            await change
    await bound(planned, "schedules.manage")
    await planned.schedules.pause(again(mod), "restart EU1", "")
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.schedules.resume(again(mod), "restart EU1")


async def test_another_org_sees_and_steers_nothing(planned: Planned) -> None:
    await planned.add()
    other = await World(planned.world.db, guild=2002).found()
    schedule_id = str(await planned.schedule("id"))
    assert (await planned.schedules.list(other.admin())).rows == []
    assert await planned.schedules.suggest(other.admin(), "") == []
    for ref in (schedule_id, "restart EU1"):
        for change in (
            planned.schedules.skip(other.admin(), ref, 1),
            planned.schedules.pause(other.admin(), ref, ""),
            planned.schedules.resume(other.admin(), ref),
            planned.schedules.ask_remove(other.admin(), ref),
        ):
            with pytest.raises(NotFound, match="There is no such schedule here"):
                await change
    with pytest.raises(NotFound, match="There is no such server here"):
        await planned.adding.ask(other.admin(), planned.wish())


async def test_lists_and_suggestions(planned: Planned) -> None:
    for n in range(12):
        await planned.add(name=f"n{n:02}", when=f"daily at {n + 1}:00")
    await planned.schedules.pause(again(planned.owner), "n05", "")
    first, second = [await planned.schedules.list(planned.owner, page) for page in (0, 1)]
    names = [row.name for row in [*first.rows, *second.rows]]
    assert names == [*[f"n{n:02}" for n in (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11)], "n05"]
    assert (first.more, second.more, len(first.rows)) == (True, False, 10)
    assert [row.name for row in await planned.schedules.suggest(planned.owner, "N1")] == ["n10", "n11"]
    assert await planned.schedules.suggest(planned.owner, "100%") == []
    await planned.tagged("eu", planned.server)
    assert await planned.schedules.tags(planned.owner, "E") == [("eu", 1)]
    await planned.tagged("zz", planned.server)
    await planned.tagged("z", planned.server)
    for n in range(30):
        await planned.tagged(f"a{n}", planned.server)
    assert await planned.schedules.tags(planned.owner, " zZ") == [("zz", 1)], "though many others come before it"
    assert (await planned.schedules.zones(planned.owner, ""))[0] == "UTC"
