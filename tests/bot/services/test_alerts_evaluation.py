"""From what hosts say to incidents: one incident, one card, one ping, and an end by itself."""

from datetime import timedelta

import pytest

from bot.services.setup import Setup
from tests.bot.services.alert_world import ALERTS, Watchtower
from tests.bot.world import World, result


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    return await Watchtower(world, monkeypatch).built()


async def test_a_crash_opens_one_incident_at_once_and_owes_one_card(tower: Watchtower) -> None:
    assert await tower.look(state="crashed", note="signal 9") == {"fire": 1}
    assert await tower.look() == {}
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created"]
    assert (await tower.owed(), await tower.owed("edit")) == (1, 0)
    assert (
        await tower.world.value("select discord_channel_id from notification_jobs order by id desc limit 1") == ALERTS
    )
    title, why = (await tower.world.rows("select i.title, e.message from incidents i, incident_events e"))[0]
    assert (title, why) == ("EU1 is down", "it crashed: signal 9")
    assert (await tower.world.audited())[-1] == "incident.open"


async def test_it_ends_by_itself_after_it_was_fine_for_fifteen_seconds(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    await tower.sent()
    tower.later(5)
    assert await tower.look(state="running") == {}
    tower.later(14)
    assert await tower.look(state="running") == {}
    tower.later(1)
    assert await tower.look(state="running") == {"resolve": 1}
    assert await tower.status() == [(1, "resolved")] and await tower.lines() == ["created", "auto_resolved"]
    assert (await tower.owed(), await tower.owed("edit")) == (1, 1)
    assert await tower.firings() == set()


async def test_a_crash_that_is_over_before_anybody_looks_is_seen(tower: Watchtower) -> None:
    await tower.report(state="crashed")
    tower.later(3)
    assert await tower.look(state="running") == {"fire": 1}
    tower.later(5)
    assert await tower.look(state="running") == {}
    tower.later(16)
    assert await tower.look(state="running") == {"resolve": 1}
    assert await tower.look() == {}, "the same crash does not count twice"


async def test_a_crash_while_the_bot_was_away_is_seen(tower: Watchtower) -> None:
    tower.later(600)
    assert await tower.look(state="running", crashes=2) == {"fire": 1}
    await tower.clear()
    assert await tower.status() == [(1, "resolved")]


async def test_ten_crashes_in_a_minute_are_one_incident_and_one_message(tower: Watchtower) -> None:
    for crashes in range(1, 11):
        await tower.look(state="crashed", crashes=crashes)
        tower.later(3)
        await tower.look(state="running", crashes=crashes)
        tower.later(3)
    for crashes in range(11, 14):
        tower.later(20)
        await tower.look(state="running", crashes=crashes)
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created"]
    assert await tower.owed() == 1


async def test_stopped_or_silent_for_a_while_is_down_and_one_report_is_not_enough(tower: Watchtower) -> None:
    for values in ({"state": "stopped"}, {"state": "running", "reachable": False}):
        assert await tower.look(**values) == {}
        tower.later(12)
        assert await tower.look() == {}, "a single report may be one that was overtaken"
        assert await tower.look(**values) in ({"fire": 1}, {"reopen": 1})
        await tower.clear()
    assert await tower.look(state="stopped") == {}
    tower.later(4)
    assert await tower.look(state="running") == {}
    assert await tower.firings() == set()


@pytest.mark.parametrize("state", ["starting", "stopping", "installing"])
async def test_what_is_on_its_way_is_not_down(tower: Watchtower, state: str) -> None:
    for _ in range(5):
        assert await tower.look(state=state) == {}
        tower.later(15)


async def test_a_wanted_stop_is_none(tower: Watchtower) -> None:
    await tower.world.rows("update server_instances set desired_state = 'stopped'")
    for state in ("stopping", "stopped", "crashed"):
        assert await tower.look(state=state) == {}
        tower.later(15)


async def test_while_a_job_is_at_work_on_it_nothing_is_raised(tower: Watchtower) -> None:
    await tower.world.enqueue(tower.host, tower.server)
    job = await tower.world.started(tower.host)
    for state in ("stopped", "crashed", "stopped"):
        assert await tower.look(state=state) == {}
        tower.later(15)
    await tower.world.rows(
        "update job_runs set status = 'success', finished_at = :now where id = :id", now=tower.now, id=job.run_id
    )
    assert await tower.look(state="running") == {}, "a crash during the job was the job's affair"
    tower.later(15)
    assert await tower.look(state="crashed") == {"fire": 1}


async def test_what_was_known_before_the_bot_was_away_is_not_believed(tower: Watchtower) -> None:
    await tower.report(state="crashed")
    tower.later(3600)
    assert await tower.evaluation.states() == {}, "its host has not spoken since"
    assert await tower.look(state="running") == {}


async def test_firing_again_within_the_cooldown_goes_on_with_the_same_incident(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    await tower.clear()
    tower.later(100)
    assert await tower.look(state="crashed") == {"reopen": 1}
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created", "auto_resolved", "reopened"]
    assert await tower.owed() == 1, "no second message"
    await tower.clear()
    tower.later(301)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")] and await tower.owed() == 2


async def test_one_line_per_cooldown_while_it_goes_on(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    for _ in range(50):
        tower.later(14)
        await tower.look(state="crashed")
    assert await tower.lines() == ["created", "trigger", "trigger"]
    assert await tower.owed() == 1


async def test_a_silent_host_is_one_incident_and_its_servers_none(tower: Watchtower) -> None:
    await tower.add_server("EU2")
    tower.later(119)
    assert await tower.look() == {}
    tower.later(1)
    assert await tower.look() == {"fire": 1}
    assert await tower.status() == [(1, "open")]
    assert await tower.world.value("select title from incidents") == f"{tower.host.name} is offline"
    await tower.beat()
    await tower.look()
    tower.later(16)
    assert await tower.look() == {"resolve": 1}


async def test_a_host_that_was_shut_out_is_not_accused(tower: Watchtower) -> None:
    await tower.world.hosts.revoke(tower.world.admin(), str(tower.host.id))
    tower.later(600)
    assert await tower.look() == {}


async def test_what_fails_because_a_host_is_away_is_part_of_its_incident(tower: Watchtower) -> None:
    await tower.rule("job_run_failed")
    tower.later(1)
    await tower.world.enqueue(tower.host, tower.server)
    job = await tower.world.started(tower.host)
    tower.later(90)
    await tower.world.lapse(job.run_id)
    await tower.world.sweep.leases()
    assert await tower.look() == {"fire": 1}
    tower.later(60)
    assert await tower.look() == {"fire": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")]
    assert await tower.lines(1) == ["created", "folded"] and await tower.lines(2) == ["created", "folded"]
    assert await tower.world.value("select count(distinct incident_id) from alert_firings") == 1


async def test_what_begins_to_fire_while_a_host_is_offline_is_folded(tower: Watchtower) -> None:
    tower.later(120)
    await tower.look()
    await tower.rule("log_keyword", {"keyword": "boom"}, name="boom")
    await tower.counted(1)
    assert await tower.look() == {"fire": 1}
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created", "folded"]
    await tower.report()
    for _ in range(3):
        tower.later(400)
        await tower.report()
        await tower.look()
    assert await tower.status() == [(1, "resolved")], "the end of what was folded ends no incident by itself"
    assert await tower.firings() == set()


async def test_log_lines_up_to_the_threshold_and_a_quiet_window_to_its_end(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "boom", "threshold": 3, "window_minutes": 1})
    await tower.counted(2)
    assert await tower.look() == {}
    tower.later(10)
    await tower.counted(1)
    assert await tower.look() == {"fire": 1}
    why = await tower.world.value("select message from incident_events")
    assert why == "3 lines with “boom” within 1 min"
    tower.later(65)
    assert await tower.look(state="running") == {}
    tower.later(16)
    assert await tower.look(state="running") == {"resolve": 1}


async def finished(tower: Watchtower, outcome: str) -> None:
    tower.later(1)
    await tower.world.enqueue(tower.host, tower.server)
    job = await tower.world.started(tower.host)
    await tower.world.queue.finish(tower.host, job.run_id, result(job, outcome))


async def test_jobs_that_fail_in_a_row_until_one_succeeds(tower: Watchtower) -> None:
    await finished(tower, "failed")
    tower.later(1)
    await tower.rule("job_run_failed", {"consecutive": 2, "job_types": ["SERVER_RESTART"]})
    for _ in range(2):
        assert await tower.look(state="running") == {}, "what failed before there was a rule does not count"
        await finished(tower, "failed")
    assert await tower.look(state="running") == {"fire": 1}
    assert "the last 2 runs in a row" in await tower.world.value("select message from incident_events")
    await finished(tower, "success")
    await tower.clear()
    assert await tower.status() == [(1, "resolved")]


async def test_a_rule_sees_only_its_server_or_the_servers_of_its_host(tower: Watchtower) -> None:
    await tower.world.rows("update alert_rules set enabled = false")
    other, _ = await tower.world.pair("gs-2")
    second = await tower.add_server("US1", other)
    mine = await tower.rule("server_down", server=tower.server)
    theirs = await tower.rule("server_down", host=other.id)
    await tower.report(state="crashed")
    await tower.report(second, other, state="crashed")
    assert await tower.look() == {"fire": 2}
    wanted = {(mine, f"server_down:{tower.server}"), (theirs, f"server_down:{second}")}
    assert await tower.firings() == wanted


async def test_a_rule_may_have_channels_of_its_own_and_a_channel_may_want_only_the_worst(tower: Watchtower) -> None:
    add = """insert into notification_channels
               (org_id, name, purpose, type, discord_channel_id, min_severity, is_default)
             values (:org, :name, 'alerts', 'discord_channel', :channel, :least, :default) returning id"""
    await tower.world.value(add, org=tower.world.org_id, name="worst", channel=11, least="high", default=True)
    await tower.world.rows("update alert_rules set severity = 'med' where type = 'server_down'")
    own = await tower.world.value(add, org=tower.world.org_id, name="own", channel=12, least="low", default=False)
    special = await tower.rule("server_down", name="special")
    await tower.world.rows(
        "insert into alert_rule_channels (rule_id, channel_id, org_id) values (:rule, :channel, :org)",
        rule=special,
        channel=own,
        org=tower.world.org_id,
    )
    await tower.look(state="crashed")
    rows = await tower.world.rows(
        """select r.name, m.channel_id from bot_messages m join incidents i on cast(i.id as text) = m.subject_id
             join alert_rules r on r.id = i.rule_id where m.kind = 'incident'"""
    )
    assert set(rows) == {("Server down", ALERTS), ("special", 12)}


async def test_without_a_channel_the_incident_waits_for_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tower = await Watchtower(world, monkeypatch).built(channel=False)
    assert await tower.look(state="crashed") == {}, "the first rules wait for a channel"
    await tower.rule("server_down", name="mine")
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.owed() == 0
    await Setup(world.db).set_channel(world.admin(), "alerts", ALERTS)
    assert await tower.owed() == 1
    enabled = await world.rows("select name from alert_rules where enabled order by name")
    assert enabled == [("Host offline",), ("Server down",), ("mine",)]


async def test_a_counter_for_a_week_is_not_read_for_a_minute(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "boom", "window_minutes": 1})
    tower.now -= timedelta(minutes=2)
    await tower.counted(100)
    tower.now += timedelta(minutes=2)
    assert await tower.look() == {}


async def test_a_rule_that_ends_no_incident_goes_on_with_it(tower: Watchtower) -> None:
    """Also when what it had seen was forgotten meanwhile."""
    await tower.world.rows("update alert_rules set auto_resolve = false")
    await tower.look(state="crashed")
    await tower.clear()
    assert await tower.status() == [(1, "open")] and await tower.firings() == set()
    tower.later(400)
    assert await tower.look(state="crashed") == {"rejoin": 1}
    await tower.clear()
    await tower.world.rows("delete from alert_firings")
    tower.later(400)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created", "trigger", "trigger"]
    assert await tower.owed() == 1
