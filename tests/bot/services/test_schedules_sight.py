"""Schedules of servers on which somebody may less than elsewhere: seen, saved, resumed, steered."""

from datetime import timedelta

import pytest

from bot.errors import Conflict, NotPermitted
from db.queries import cards, panels
from tests.bot.grants import deny
from tests.bot.people import MODERATORS, again
from tests.bot.services.schedules_world import Planned, at, bound


async def test_of_a_tag_servers_are_left_out_where_the_author_may_not(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other, hidden = await world.server(planned.host, "EU2"), await world.server(planned.host, "EU3")
    await world.rows("update server_instances set desired_state = 'running'")
    await planned.tagged("eu", planned.server, other, hidden)
    await bound(planned, "servers.view", "schedules.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    await deny(world, mia, "schedules.manage", hidden)
    await deny(world, mia, "servers.view", hidden)
    planned.people.identity.forget()
    mia = await planned.people.actor("mia", MODERATORS)
    preview = await planned.adding.ask(again(mia), planned.wish(server="", tag="eu"))
    assert [server.name for server in preview.plan.servers] == ["EU1"]
    assert preview.left_out == "Left out, because you may not do it there: EU2, 1 more that you do not see."
    done = await planned.confirmations.press(again(mia), preview.token)
    assert done.text.endswith(preview.left_out)
    planned.clock.to(4)
    await planned.due.tick()
    assert await world.rows("select server_instance_id from jobs") == [(planned.server,)]
    (card,) = (await planned.schedules.list(again(planned.owner))).rows
    assert card.left_out == 2
    told = await world.value("select details -> 'leftOut' from audit_logs where action = 'schedule.add'")
    assert told == ["EU2", "EU3"]


async def test_whoever_resumes_it_leaves_out_where_they_may_not(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all")
    await planned.add(server=str(other), name="one")
    for name in ("all", "one"):
        await planned.schedules.pause(again(planned.owner), name, "")
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    with pytest.raises(NotPermitted, match=r"servers\.restart"):
        await planned.schedules.resume(again(mia), "one")
    done = await planned.schedules.resume(again(mia), "all")
    assert done.text.endswith("Left out, because you may not do it there: EU2.")
    await planned.schedules.pause(again(mia), "all", "")
    done = await planned.schedules.resume(again(planned.owner), "all")
    assert "Left out" not in done.text, "what was left out before is not named again, and stays so"
    assert await world.value("select count(*) from schedule_exclusions") == 1


async def test_whoever_may_not_manage_it_somewhere_does_not_steer_it(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(server="", tag="eu", name="all")
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "schedules.manage", other)
    for act in (
        planned.schedules.skip(again(mia), "all", 1),
        planned.schedules.pause(again(mia), "all", ""),
        planned.schedules.ask_remove(again(mia), "all"),
    ):
        with pytest.raises(NotPermitted, match=r"schedules\.manage"):
            await act
    await planned.schedules.pause(again(planned.owner), "all", "")
    with pytest.raises(NotPermitted, match=r"schedules\.manage"):
        await planned.schedules.resume(again(mia), "all")
    assert await world.value("select count(*) from schedule_exclusions") == 0, "it would have left out EU2 for good"


async def test_schedules_of_servers_that_somebody_does_not_see(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.tagged("us", other)
    await planned.add(name="here")
    await planned.add(name="there", server=str(other))
    for tag in ("eu", "us"):
        await planned.add(name=tag, server="", tag=tag)
    await bound(planned, "servers.view", "schedules.view")
    await deny(world, mia, "servers.view", other)
    planned.people.identity.forget()
    mia = await planned.people.actor("mia", MODERATORS)
    assert sorted(card.name for card in (await planned.schedules.list(mia)).rows) == ["eu", "here"]
    assert sorted(card.name for card in await planned.schedules.suggest(mia, "")) == ["eu", "here"]
    assert await planned.schedules.tags(mia, "") == [("eu", 1)]
    owners = (await planned.schedules.list(planned.owner)).rows
    assert len(owners) == 4


async def test_who_may_not_do_it_cannot_end_its_pause_either(planned: Planned) -> None:
    """An end, or an earlier one, lets it run again as `resume` does."""
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await planned.add(name="one")
    await planned.add(server="", tag="eu", name="all")
    await bound(planned, "servers.view", "schedules.manage")
    for first in ("", "2d"):
        await planned.schedules.pause(again(planned.owner), "one", first)
        with pytest.raises(NotPermitted, match=r"servers\.restart"):
            await planned.schedules.pause(again(mia), "one", "1h")
    await planned.schedules.pause(again(mia), "one", "3d")
    await planned.schedules.pause(again(mia), "one", "")
    assert await planned.schedule("enabled", name="one") is False, "to keep it from running is another thing"
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    await planned.schedules.pause(again(mia), "all", "")
    done = await planned.schedules.pause(again(mia), "all", "1h")
    assert done.text.endswith("Left out, because you may not do it there: EU2.")


async def test_a_removed_server_is_named_to_nobody_who_may_not_run_its_schedule(planned: Planned) -> None:
    mia = await planned.people.actor("mia", MODERATORS)
    await planned.add(name="one")
    await bound(planned, "schedules.manage", server=await planned.world.server(planned.host, "EU2"))
    await planned.world.rows("update server_instances set deleted_at = now() where id = :id", id=planned.server)
    with pytest.raises(NotPermitted):
        await planned.running.ask(again(mia), "one")
    with pytest.raises(Conflict, match="its server EU1 was removed"):
        await planned.running.ask(again(planned.owner), "one")


async def test_the_next_restart_of_a_server_is_none_of_a_schedule_that_leaves_it_out(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", planned.server, other)
    await bound(planned, "servers.view", "schedules.manage", "servers.restart")
    await deny(world, mia, "servers.restart", other)
    await planned.add(mia, server="", tag="eu", name="all")
    await planned.schedules.pause(again(planned.owner), "all", "4:00")  # its end is when it runs next
    async with world.db.read() as session:
        shown = {one.name: one for one in await panels.servers(session, world.org_id, "all", limit=9, now=at(12))}
        found = [await cards.server(session, world.org_id, server_id=one) for one in (planned.server, other)]
    assert [server and server.next_restart for server in found] == [at(4) + timedelta(days=1), None]
    assert [shown[name].next_restart for name in ("EU1", "EU2")] == [at(4) + timedelta(days=1), None]


async def test_why_a_run_was_left_out_names_no_server_to_whoever_does_not_see_it(planned: Planned) -> None:
    world, mia = planned.world, await planned.people.actor("mia", MODERATORS)
    other = await world.server(planned.host, "EU2")
    await planned.tagged("eu", other)
    await planned.add(name="one")
    await planned.add(server="", tag="eu", name="all")
    await world.rows("update server_instances set status = 'stopped'")
    planned.clock.to(4)
    await planned.due.tick()
    await planned.tagged("eu", planned.server)
    await bound(planned, "servers.view", "schedules.view")
    await deny(world, mia, "servers.view", other)
    planned.people.identity.forget()
    mia = await planned.people.actor("mia", MODERATORS)
    why = "it is stopped, and a restart would start it"
    for actor, told in ((planned.owner, f"EU2: {why}"), (mia, None)):
        rows = (await planned.schedules.list(actor)).rows
        assert {card.name: card.last_run_reason for card in rows} == {"one": f"EU1: {why}", "all": told}
