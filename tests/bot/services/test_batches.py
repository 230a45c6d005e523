"""Batches: begun as shown, so many at a time, in order, stopped, ended once."""

from typing import Any

import pytest

from bot.errors import AppError, Conflict, Invalid, NotFound
from tests.bot.services.batches_world import Fleet
from tests.bot.world import World, result


@pytest.fixture
async def fleet(world: World) -> Fleet:
    return await Fleet.made(world)


async def test_one_after_the_other_to_the_end(fleet: Fleet) -> None:
    asked = await fleet.ask()
    assert (asked.title, asked.verb, asked.typed) == (
        "Restart on 4 servers with the tag eu?",
        "Restart on 4 servers",
        "eu",
    )
    assert asked.effect[:2] == (
        "**On** S01, S02, S03, S04",
        "One after the other, in this order: the next one begins when one has ended. It goes on when one fails.",
    )
    with pytest.raises(Invalid, match="That is not the name"):
        await fleet.press(asked, typed="us")
    done = await fleet.press(asked, typed=" EU ")
    assert (done.title, done.text) == ("Restart on 4 servers", "`W-1` · <#4242>")
    assert await fleet.jobs() == ["queued", "held", "held", "held"]
    for ended in range(1, 4):
        await fleet.finish()
        assert await fleet.jobs() == ["success"] * ended + ["queued"] + ["held"] * (3 - ended)
        assert await fleet.batch("status", "completed_at") == ("running", None)
    await fleet.finish()
    status, took = await fleet.batch("status", "completed_at > created_at")
    assert (status, took) == ("done", True)
    assert await fleet.places() == ["S01", "S02", "S03", "S04"]
    kinds = await fleet.world.rows("select distinct source, (select count(*) from bot_messages) from jobs")
    assert kinds == [("batch", 1)], "one message shows them all"
    assert [action for action in await fleet.world.audited() if action.startswith("batch")] == [
        "batch.start.ask",
        "batch.start",
        "batch.end",
    ]


async def test_who_will_be_disconnected_is_said_only_as_far_as_it_is_known(fleet: Fleet) -> None:
    async def said(**online: int) -> str:
        await fleet.world.rows("update server_instances set players_online = null")
        for name, players in online.items():
            await fleet.world.rows(
                "update server_instances set players_online = :players where name = :name", players=players, name=name
            )
        return (await fleet.ask()).effect[2]

    assert await said() == "**How many are online there is not known** right now."
    assert await said(S01=0, S02=0) == "Nobody is online where that is known. On 2 servers it is not known."
    some = "**2 players are online there** and will be disconnected."
    assert await said(S01=2, S02=0, S03=0) == f"{some} On 1 server it is not known."
    assert await said(S01=2, S02=0, S03=0, S04=0) == some
    assert await said(S01=0, S02=0, S03=0, S04=0) == "Nobody is online there."
    await fleet.world.rows("update hosts set status = 'offline'")
    assert await said(S01=2, S02=0, S03=0, S04=0) == "**How many are online there is not known** right now."


async def test_as_many_as_asked_are_under_way_and_a_slow_one_holds_nobody_up(fleet: Fleet) -> None:
    await fleet.more()
    await fleet.start(parallel=2)
    slow = await fleet.world.started(fleet.host)
    for ended in range(1, 4):
        await fleet.finish()
        jobs = await fleet.jobs()
        assert jobs == ["running", *["success"] * ended, "queued", *["held"] * (3 - ended)]
    await fleet.finish()
    assert await fleet.jobs() == ["running"] + ["success"] * 4
    assert await fleet.batch("status") == "running"
    await fleet.world.queue.finish(fleet.host, slow.run_id, result(slow))
    assert await fleet.batch("status") == "done"


async def test_a_failure_stops_the_whole_batch_or_not(fleet: Fleet) -> None:
    await fleet.start(parallel=2, stop_on_failure=True)
    other = await fleet.world.started(fleet.host)
    await fleet.finish("failed")
    assert await fleet.jobs() == ["running", "failed", "cancelled", "cancelled"]
    assert await fleet.batch("status", "stopped_at is null", "stopped_by_id") == ("running", False, None)
    await fleet.world.queue.finish(fleet.host, other.run_id, result(other))
    assert await fleet.batch("status", "completed_at is null") == ("cancelled", False)
    assert await fleet.states() == {
        "S01": "done",
        "S02": "failed: its host did not say why",
        "S03": "not begun",
        "S04": "not begun",
    }
    await fleet.start()
    await fleet.finish("failed", "success", "failed", "success")
    assert await fleet.jobs(2) == ["failed", "success", "failed", "success"]
    assert await fleet.batch("status", number=2) == "done"


async def test_a_failure_of_the_last_one_stops_nothing(fleet: Fleet) -> None:
    await fleet.start(stop_on_failure=True)
    await fleet.finish("success", "success", "success", "failed")
    assert await fleet.batch("status", "stopped_at") == ("done", None)


async def test_a_host_that_stays_away_counts_as_a_failure(fleet: Fleet) -> None:
    away, _ = await fleet.world.pair("gs-2")
    await fleet.capable("start", "stop", "restart", "say")
    await fleet.world.rows("update hosts set status = 'offline' where name = 'gs-2'")
    await fleet.world.rows("delete from server_tags")
    for host in (away, fleet.host, fleet.host):
        await fleet.more(host)
    asked = await fleet.ask(stop_on_failure=True)
    assert any("The host of 1 of them is offline: it comes last" in line for line in asked.effect)
    await fleet.press(asked)
    assert await fleet.places() == ["S06", "S07", "S05"]
    await fleet.finish("success", "success")
    assert (await fleet.states())["S05"] == "under way: gs-2 is offline"
    waits = await fleet.world.value(
        "select expires_at - now() > interval '14 minutes' from jobs where status = 'queued'"
    )
    assert waits, "its time counts from its turn on"
    await fleet.world.rows("update jobs set expires_at = now() where status = 'queued'")
    await fleet.world.sweep.expiry()
    assert await fleet.batch("status") == "done"
    assert (await fleet.states())["S05"] == "failed: gs-2 did not come back in time"


async def test_stopping(fleet: Fleet) -> None:
    await fleet.start(parallel=2)
    first, second = await fleet.world.started(fleet.host), await fleet.world.started(fleet.host)
    done = await fleet.stop()
    assert (done.title, done.text) == (
        "W-1 begins nothing more",
        "2 servers are left as they are. What is under way ends as it would: 2 servers.",
    )
    assert await fleet.jobs() == ["running", "running", "cancelled", "cancelled"]
    again = await fleet.stop()
    assert again.title == "W-1 was stopped by Olga already"
    for job in (first, second):
        assert await fleet.batch("status") == "running"
        await fleet.world.queue.finish(fleet.host, job.run_id, result(job))
    assert await fleet.batch("status") == "cancelled"
    with pytest.raises(Conflict, match="W-1 has ended already"):
        await fleet.stop()


async def test_there_is_nothing_to_stop_where_all_have_had_their_turn(fleet: Fleet) -> None:
    await fleet.start(parallel=50)
    with pytest.raises(Conflict, match=r"Every server of W-1 has had its turn.*4 servers"):
        await fleet.stop()


async def test_what_rests_is_left_out_at_the_start_and_when_its_turn_comes(fleet: Fleet) -> None:
    await fleet.hold(fleet.servers[1])
    asked = await fleet.ask()
    assert any(line.startswith("**Left out:** S02 (held by somebody for") for line in asked.effect)
    await fleet.press(asked)
    await fleet.hold(fleet.servers[2])
    await fleet.world.rows("update server_instances set deleted_at = now() where name = 'S04'")
    await fleet.finish()
    assert await fleet.jobs() == ["success", "cancelled", "cancelled"]
    assert await fleet.batch("status") == "done"
    states = await fleet.states()
    assert states["S01"] == "done" and states["S04"] == "left out: it was removed"
    assert states["S02"].startswith("left out: held by somebody for") and states["S03"].endswith(": new map")
    assert "batch.leave_out" in await fleet.world.audited()


async def test_all_that_wait_may_rest(fleet: Fleet) -> None:
    for _ in range(30):
        await fleet.more()
    await fleet.start(parallel=2)
    for server in fleet.servers[2:-1]:
        await fleet.hold(server)
    await fleet.finish()
    jobs = await fleet.jobs()
    assert (jobs[0], jobs[1], jobs[-1], set(jobs[2:-1])) == ("success", "queued", "queued", {"cancelled"})
    left = await fleet.world.rows("select details from audit_logs where action = 'batch.leave_out'")
    assert sum(len(row[0]["leftOut"]) for row in left) == 31 and len(left) == 2
    await fleet.finish("success", "success")
    assert await fleet.batch("status") == "done"


async def test_what_cannot_be_done_there_is_left_out(fleet: Fleet) -> None:
    await fleet.more(status="stopped")
    await fleet.world.enqueue(fleet.host, fleet.servers[0], dedupe_key=f"power:{fleet.servers[0]}")
    await fleet.start(parallel=4)
    assert await fleet.places() == ["S02", "S03", "S04"]
    states = await fleet.states()
    assert states["S01"] == "left out: J-1 is waiting or under way there"
    assert states["S05"] == "left out: it is stopped, and a restart would start it"
    await fleet.world.rows("update server_instances set status = 'running'")
    with pytest.raises(Conflict, match="There is nothing to start with the tag eu now") as error:
        await fleet.ask(action="start")
    assert "S03: it is running already" in error.value.remedy


async def test_announcements_go_to_all_at_once_or_as_asked(fleet: Fleet) -> None:
    await fleet.hold(fleet.servers[0])
    await fleet.start(action="announce", text="Soon!")
    assert await fleet.jobs() == ["queued"] * 4, "a held server is told things, too"
    await fleet.finish("success", "success", "success", "success")
    assert await fleet.batch("status") == "done"
    await fleet.start(action="announce", text="Soon!", parallel=1)
    assert await fleet.jobs(2) == ["queued", "held", "held", "held"]


async def test_only_what_was_shown_is_begun(fleet: Fleet) -> None:
    await fleet.more(status="stopped")
    asked = await fleet.ask()
    await fleet.more()
    await fleet.world.rows("update server_instances set status = 'running'")
    await fleet.world.rows("delete from server_tags where server_instance_id = :server", server=fleet.servers[0])
    await fleet.press(asked)
    assert await fleet.places() == ["S02", "S03", "S04"]
    assert (await fleet.states())["S05"] == "left out: it was left out when this was asked"
    asked = await fleet.ask(action="announce", text="Hi")
    await fleet.world.rows("delete from server_tags")
    with pytest.raises(NotFound, match="No server has the tag eu"):
        await fleet.press(asked)
    await fleet.more()
    with pytest.raises(Conflict, match="None of these servers has the tag any more"):
        await fleet.press(asked)


@pytest.mark.parametrize(
    ("wish", "error", "words"),
    [
        ({"tag": "us"}, NotFound, "No server has the tag us"),
        ({"action": "fly"}, Invalid, "fly is nothing that a batch can do"),
        ({"parallel": 51}, Invalid, "At most 50 servers"),
        ({"action": "announce"}, Invalid, "The text is empty"),
        ({"text": "hi"}, Invalid, "takes no `text`"),
        ({"mod": "rules"}, Invalid, "takes no `mod`"),
        ({"action": "deploy"}, Invalid, "needs a `mod`"),
        ({"action": "deploy", "mod": "rules"}, NotFound, "There is no mod rules here"),
    ],
)
async def test_what_is_no_batch(fleet: Fleet, wish: dict[str, Any], error: type[AppError], words: str) -> None:
    with pytest.raises(error, match=words) as refused:
        await fleet.ask(**wish)
    assert refused.value.remedy


async def test_there_is_no_such_batch(fleet: Fleet) -> None:
    for ref in ("W-9", "x", "W-99999999999999999999", "-1"):
        with pytest.raises(NotFound, match="There is no batch"):
            await fleet.batches.show(fleet.owner, ref)
