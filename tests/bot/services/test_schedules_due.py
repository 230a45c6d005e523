"""Runs of schedules: once each, moved on, or left out with a reason."""

import asyncio
from datetime import timedelta

import pytest

from bot.domain.jobs import JobType
from bot.services.schedules_due import SchedulesDue
from bot.workers.sweeps import Tick
from bot.workers.ticks import Ticks
from db.engine import Database
from tests.bot.people import MODERATORS, again
from tests.bot.services.schedules_world import Planned, at


async def test_a_run_is_a_job_and_the_next_time(planned: Planned) -> None:
    await planned.add()
    assert await planned.schedule("next_run_at", "enabled", "last_run_status") == (
        at(4) + timedelta(days=1),
        True,
        None,
    )
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}
    found = await planned.schedule("next_run_at", "last_run_at", "last_run_status", "run_count")
    assert found == (at(4) + timedelta(days=2), at(4) + timedelta(days=1), "enqueued", 1)
    (job,) = await planned.world.rows(
        """select j.type, j.source, j.payload, j.dedupe_key, j.schedule_id = s.id, s.last_run_job_id = j.id
             from jobs j, schedules s"""
    )
    assert job == ("SERVER_RESTART", "schedule", {"type": "SERVER_RESTART"}, f"power:{planned.server}", True, True)
    assert (await planned.world.audited())[-3:] == ["schedule.add.ask", "schedule.add", "schedule.run"]


async def test_a_tick_that_did_something_leaves_its_row(planned: Planned) -> None:
    await planned.add()
    tick, ticks = Tick("schedules.due", timedelta(seconds=15), planned.due.tick), Ticks(planned.world.db, [])
    await ticks.run(tick)
    planned.clock.to(4)
    await ticks.run(tick)
    rows = await planned.world.rows("select job_name, status, meta_json from cron_runs")
    assert rows == [("schedules.due", "success", {"enqueued": 1, "skipped": 0})]


async def test_two_processes_at_once_run_it_once(planned: Planned, database_url: str) -> None:
    for n in range(6):
        await planned.add(name=f"s{n}", action="announce", text="Soon!")
    planned.clock.to(4)
    other = Database(database_url, role="workers")
    replicas = [planned.due, SchedulesDue(other), SchedulesDue(other), SchedulesDue(planned.world.db)]
    done = await asyncio.gather(*(replica.tick() for replica in replicas))
    await other.close()
    assert sum(row["enqueued"] for row in done) == 6
    assert await planned.world.value("select count(*) from jobs where source = 'schedule'") == 6
    assert (await planned.world.audited()).count("schedule.run") == 6


async def test_a_tag_is_a_job_for_each_server_and_one_result(planned: Planned) -> None:
    servers = [planned.server, *[await planned.world.server(planned.host, f"EU{n}") for n in (2, 3)]]
    off = await planned.world.server(planned.host, "EU4", status="stopped")
    await planned.world.server(planned.host, "EU5")  # without the tag
    await planned.tagged("eu", *servers, off)
    await planned.add(server="", tag="eu", name="all")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
    assert await planned.jobs() == ["queued"] * 3
    left = await planned.world.value("select details -> 'leftOut' from audit_logs where action = 'schedule.run'")
    assert left == {"EU4": "it is stopped, and a restart would start it"}
    await planned.finish()
    assert await planned.schedule("last_run_status", name="all") == "enqueued"
    await planned.finish("failed")
    assert await planned.schedule("last_run_status", "consecutive_failures", name="all") == ("failed", 1)
    await planned.finish()
    assert await planned.schedule("last_run_status", "consecutive_failures", name="all") == ("failed", 1)


async def test_a_tag_on_hundreds_of_servers(planned: Planned) -> None:
    """Every one of them is looked at: when it is saved, for the author's permission, and when it runs."""
    await planned.world.rows(
        """insert into server_instances (org_id, host_id, game_type_id, name, slug, status)
           select org_id, host_id, game_type_id, 'N' || n, 'n' || n, 'running'
             from server_instances, generate_series(1, 600) n"""
    )
    await planned.world.rows(
        "insert into server_tags (org_id, server_instance_id, tag) select org_id, id, 'all' from server_instances"
    )
    await planned.world.rows(
        """insert into role_bindings (org_id, discord_role_id, role_id, server_instance_id)
           select r.org_id, :role, r.id, s.id from roles r, server_instances s
            where r.name = 'operator' and s.name <> 'N99'""",
        role=MODERATORS,
    )
    mia, all_of_them = await planned.people.actor("mia", MODERATORS), {"server": "", "tag": "all", "name": "all"}
    done = await planned.add(mia, action="announce", text="Soon!", **all_of_them)
    assert done.text.endswith("Left out, because you may not do it there: N99.")
    planned.clock.to(4)
    await planned.due.tick()
    assert len(await planned.jobs()) == 600


async def test_a_tag_that_no_server_has_any_more(planned: Planned) -> None:
    await planned.tagged("eu", planned.server)
    await planned.add(server="", tag="eu", name="all")
    await planned.world.rows("delete from server_tags")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 1}
    assert await planned.schedule("last_run_status", "enabled", name="all") == ("skipped_offline", True)
    assert await planned.reason() == "no server has its tag"


async def test_a_busy_server_is_left_out(planned: Planned) -> None:
    await planned.add()
    await planned.world.enqueue(planned.host, planned.server, JobType.SERVER_RESTART)
    planned.clock.to(4)
    await planned.due.tick()
    assert await planned.schedule("last_run_status", "run_count") == ("skipped_busy", 0)
    assert await planned.reason() == "EU1: J-1 is waiting or under way there"
    assert await planned.jobs() == []


async def test_a_run_is_left_out_while_the_last_one_goes_on(planned: Planned) -> None:
    await planned.add(action="console", text="status", when="hourly", name="h")
    planned.clock.to(13)
    await planned.due.tick()
    await planned.world.rows("update jobs set expires_at = null")
    await planned.world.started(planned.host)
    planned.clock.to(14)
    await planned.due.tick()
    assert await planned.schedule("last_run_status", name="h") == "skipped_busy"
    assert await planned.jobs() == ["running"]


async def test_an_announcement_is_not_kept_by_a_restart_that_waits(planned: Planned) -> None:
    await planned.add(action="announce", text="Soon!", name="a")
    planned.clock.to(4)
    later = planned.clock.time + timedelta(minutes=30)
    await planned.world.enqueue(planned.host, planned.server, JobType.SERVER_RESTART, not_before=later)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_two_schedules_for_the_same_minute_restart_once(planned: Planned) -> None:
    await planned.add(name="one")
    await planned.add(name="two")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 1}
    assert await planned.jobs() == ["queued"]


@pytest.mark.parametrize(("status", "outcome"), [("stopped", "skipped_offline"), ("crashed", "enqueued")])
async def test_what_people_stopped_stays_down(planned: Planned, status: str, outcome: str) -> None:
    await planned.add()
    await planned.world.rows("update server_instances set status = :status", status=status)
    planned.clock.to(4)
    await planned.due.tick()
    assert await planned.schedule("last_run_status") == outcome


async def test_a_restart_waits_for_a_host_that_is_away_an_announcement_does_not(planned: Planned) -> None:
    await planned.add()
    await planned.add(action="announce", text="Soon!", name="a")
    await planned.world.rows("update hosts set status = 'offline'")
    await planned.world.rows("update server_instances set status = 'unknown'")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 1}
    assert await planned.schedule("last_run_status", name="a") == "skipped_offline"


async def test_a_missed_run_is_left_out_or_caught_up_once(planned: Planned) -> None:
    await planned.add(name="strict")
    await planned.add(name="late", catch_up=True, action="announce", text="Soon!")
    planned.clock.on(days=5)
    planned.clock.to(9)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 1}
    assert await planned.schedule("last_run_status", name="strict") == "skipped_missed"
    assert await planned.schedule("last_run_status", "run_count", name="late") == ("enqueued", 1)
    tomorrow = planned.clock.time.replace(hour=4) + timedelta(days=1)
    assert await planned.schedule("next_run_at", name="strict") == tomorrow
    assert await planned.schedule("next_run_at", name="late") == tomorrow
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}


async def test_a_late_tick_still_runs_what_is_not_ten_minutes_old(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4, 9, 59)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_a_removed_server_switches_its_schedule_off(planned: Planned) -> None:
    await planned.add()
    await planned.world.rows("update server_instances set deleted_at = now()")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 1}
    assert await planned.schedule("enabled", "next_run_at") == (False, None)
    assert await planned.reason() == "its server was removed"
    planned.clock.on(days=1)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("change", "words", "stays"),
    [
        ("update schedules set timezone = 'Mars/Olympus'", "The time zone Mars/Olympus is not known here.", False),
        ("update schedules set cron_expression = '0 0 31 2 *'", "This never comes", False),
        ("update schedule_tasks set job_type = 'TELEPORT'", "this version cannot do TELEPORT by itself", True),
        ("update schedule_tasks set payload = '{\"warp\": 9}'", "this version cannot read what restart needs", True),
        ("delete from schedule_tasks", "this version cannot do nothing by itself", True),
    ],
)
async def test_what_cannot_be_done_stops_no_other(planned: Planned, change: str, words: str, stays: bool) -> None:
    """What never comes is switched off; what this version cannot do another one can."""
    await planned.add()
    await planned.world.rows(change)
    await planned.add(name="other", action="announce", text="Soon!")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 1}
    assert await planned.schedule("last_run_status", "enabled") == ("scheduler_failed", stays)
    found = await planned.world.value(
        "select details ->> 'reason' from audit_logs where action = 'schedule.left_out' order by id desc limit 1"
    )
    assert words in found


async def test_an_error_with_one_schedule_stops_no_other(planned: Planned) -> None:
    await planned.add(name="first")
    await planned.add(name="second", action="announce", text="Soon!")
    await planned.world.rows(
        """create function refuse() returns trigger language plpgsql as
           $$ begin if new.type = 'SERVER_RESTART' then raise 'no'; end if; return new; end $$"""
    )
    await planned.world.rows("create trigger refuse before insert on jobs for each row execute function refuse()")
    planned.clock.to(4)
    tick, ticks = Tick("schedules.due", timedelta(seconds=15), planned.due.tick), Ticks(planned.world.db, [])
    await ticks.run(tick)
    ((status, error),) = await planned.world.rows("select status, meta_json ->> 'error' from cron_runs")
    assert status == "failure" and "no" in error
    assert await planned.schedule("last_run_status", name="second") == "enqueued"
    assert await planned.schedule("last_run_status", name="first") is None, "rolled back, so it is due again"
    await planned.world.rows("drop trigger refuse on jobs")
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_the_ops_channel_hears_of_a_problem_when_it_begins(planned: Planned) -> None:
    await planned.world.rows(
        """insert into notification_channels (org_id, name, purpose, type, discord_channel_id, created_at)
           select id, 'ops', 'ops', 'discord_channel', 77, now() from orgs"""
    )
    await planned.add()
    await planned.world.rows("update server_instances set status = 'stopped'")
    for _ in range(3):
        planned.clock.to(4)
        await planned.due.tick()
    told = await planned.world.rows(
        "select discord_channel_id, payload_json from notification_jobs where event_type = 'schedule.skipped'"
    )
    reason = "EU1: it is stopped, and a restart would start it"
    assert told == [(77, {"name": "restart EU1", "reason": reason, "off": False})]


async def test_the_due_query_is_an_index_scan(planned: Planned) -> None:
    await planned.world.rows(
        """insert into schedules (org_id, tag, name, cron_expression, next_run_at)
           select id, 'eu', 's' || n, '0 4 * * *', now() + interval '1 day' from orgs, generate_series(1, 10000) n"""
    )
    await planned.world.rows("analyze schedules")
    plan = await planned.world.rows(
        "explain select id from schedules where enabled and next_run_at <= now() order by next_run_at limit 500"
    )
    assert "ix_schedules_due" in plan[1][0] or "ix_schedules_due" in plan[0][0], plan


async def test_a_guild_that_removed_the_bot_is_left_alone_until_it_is_back(planned: Planned) -> None:
    await planned.add()
    await planned.world.rows("update orgs set status = 'left'")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 0, "skipped": 1}
    assert await planned.reason() == "the bot was removed from the Discord server"
    await planned.world.rows("update orgs set status = 'active'")
    planned.clock.to(4)
    assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}


async def test_a_pause_uses_up_no_run_that_was_to_be_skipped(planned: Planned) -> None:
    await planned.add()
    await planned.schedules.skip(again(planned.owner), "restart EU1", 1)
    await planned.schedules.pause(again(planned.owner), "restart EU1", "1d")
    for status, skips in (("skipped", 1), ("skipped", 0), ("enqueued", 0)):
        planned.clock.to(4)
        await planned.due.tick()
        assert await planned.schedule("last_run_status", "skip_next") == (status, skips)


async def test_an_org_is_purged_with_its_schedules(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(4)
    await planned.due.tick()
    await planned.world.rows("delete from orgs")
    assert await planned.world.value("select count(*) from schedules") == 0
