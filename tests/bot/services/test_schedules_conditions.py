"""What has to be so for a run: empty, online, inside a window, not left alone. Every run that is not done says why."""

from datetime import timedelta
from typing import Any

import pytest

from bot.errors import AppError, Invalid
from tests.bot.people import again
from tests.bot.services.schedules_world import Planned


async def left(planned: Planned, hour: int = 4, name: str = "restart EU1") -> tuple[str, str]:
    """What becomes of the next run: its status, and why."""
    planned.clock.to(hour)
    await planned.due.tick()
    return await planned.schedule("last_run_status", name=name), await planned.reason()


@pytest.mark.parametrize(
    ("players", "status", "reason"),
    [
        (0, "enqueued", "[1]"),
        (1, "skipped_players", "EU1: 1 player is online"),
        (12, "skipped_players", "EU1: 12 players are online"),
        (None, "skipped_players", "EU1: nobody knows how many players are online"),
    ],
)
async def test_only_when_empty(planned: Planned, players: int | None, status: str, reason: str) -> None:
    await planned.add(only_empty=True)
    await planned.world.rows("update server_instances set players_online = :n", n=players)
    assert await left(planned) == (status, reason)


async def test_whoever_comes_between_the_warning_and_the_restart_is_not_thrown_out(planned: Planned) -> None:
    await planned.add(only_empty=True, warn="15")
    await planned.world.rows("update server_instances set players_online = 0")
    planned.clock.to(3, 45)
    await planned.due.tick()
    await planned.finish()
    await planned.world.rows("update server_instances set players_online = 5")
    planned.clock.to(4)
    assert await planned.world.claim(planned.host) == []
    assert await planned.jobs() == ["success", "cancelled"]
    found = await planned.schedule("last_run_status", "last_run_reason", "failure_count")
    assert found == ("skipped", "5 players are online", 0)
    await planned.world.rows("update server_instances set players_online = 0")
    planned.clock.to(3, 45)
    await planned.due.tick()
    await planned.finish()
    planned.clock.to(4)
    await planned.finish()
    assert await planned.schedule("last_run_status", "last_run_reason") == ("success", None)


async def test_what_failed_halfway_is_tried_again_whoever_is_on(planned: Planned) -> None:
    await planned.add(only_empty=True, retries=1, backoff=1)
    await planned.world.rows("update server_instances set players_online = 0")
    planned.clock.to(4)
    await planned.due.tick()
    await planned.finish("failed")
    await planned.world.rows("update server_instances set players_online = null, status = 'unknown'")
    planned.clock.on(seconds=1)
    await planned.finish()
    assert await planned.jobs() == ["success"]


async def test_a_count_from_before_its_host_went_away_is_none(planned: Planned) -> None:
    await planned.add(only_empty=True)
    await planned.world.rows("update server_instances set players_online = 0, status = 'unknown'")
    await planned.world.rows("update hosts set status = 'offline'")
    assert await left(planned) == ("skipped_players", "EU1: nobody knows how many players are online")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("update server_instances set status = 'crashed'", "EU1: it is crashed"),
        ("update hosts set status = 'offline'", "EU1: its host is offline"),
    ],
)
async def test_only_when_online(planned: Planned, change: str, reason: str) -> None:
    await planned.add(only_online=True)
    await planned.world.rows(change)
    assert await left(planned) == ("skipped_offline", reason)


async def test_outside_its_window_nothing_is_due(planned: Planned) -> None:
    await planned.add(when="every 30 minutes", window="23:00-01:00", name="w", action="announce", text="Hi")
    for hour, minute in ((23, 0), (23, 30), (0, 0), (0, 30), (23, 0)):
        run = await planned.schedule("next_run_at", name="w")
        assert (run.hour, run.minute) == (hour, minute)
        planned.clock.to(hour, minute)
        assert await planned.due.tick() == {"enqueued": 1, "skipped": 0}
        planned.clock.on(minutes=3)
        await planned.world.sweep.expiry()


async def test_a_missed_run_is_not_caught_up_outside_its_window(planned: Planned) -> None:
    await planned.add(window="03:00-05:00", catch_up=True)
    assert await left(planned, 9) == ("skipped_window", "the clock does not show 03:00-05:00")
    assert (
        await planned.world.value("select count(*) from notification_jobs where event_type = 'schedule.skipped'") == 0
    )


async def test_a_held_server_is_left_alone_and_hears_announcements(planned: Planned) -> None:
    await planned.add(warn="5")
    await planned.add(action="announce", text="Hello", name="a")
    await planned.world.rows(
        """insert into server_holds (org_id, server_instance_id, reason, created_by_id, created_at)
           select s.org_id, s.id, 'new map', u.id, :since from server_instances s, users u limit 1""",
        since=planned.clock.time,
    )
    planned.clock.to(3, 55)
    await planned.due.tick()
    assert await planned.schedule("last_run_status") == "skipped"
    assert (await planned.reason()).startswith("EU1: it is held by") and (await planned.reason()).endswith(": new map")
    assert await left(planned, 4, "a") == ("enqueued", "[1]")


async def test_maintenance_is_left_alone(planned: Planned) -> None:
    await planned.add()
    planned.clock.to(3)
    await planned.world.rows(
        """insert into maintenance_windows (org_id, server_instance_id, reason, starts_at, ends_at)
           select org_id, id, 'new disk', cast(:now as timestamptz), cast(:now as timestamptz) + interval '2 hours'
             from server_instances""",
        now=planned.clock.time,
    )
    assert await left(planned) == ("skipped", "EU1: it is in maintenance for 60 more minutes: new disk")
    assert (await left(planned))[0] == "enqueued", "it is over"


@pytest.mark.parametrize(
    ("action", "status", "outcome", "reason"),
    [
        ("stop", "running", "enqueued", "[1]"),
        ("stop", "stopped", "skipped", "EU1: it is stopped"),
        ("stop", "crashed", "enqueued", "[1]"),  # its host would start it again
        ("start", "stopped", "enqueued", "[1]"),
        ("start", "running", "skipped", "EU1: it is running already"),
        ("start", "installing", "skipped_offline", "EU1: it is installing"),
    ],
)
async def test_stop_and_start(planned: Planned, action: str, status: str, outcome: str, reason: str) -> None:
    await planned.add(action=action, name="s")
    await planned.world.rows("update server_instances set status = :status", status=status)
    assert await left(planned, 4, "s") == (outcome, reason)


async def test_of_a_tag_a_warning_is_left_out_where_the_game_cannot_say_anything(planned: Planned) -> None:
    await planned.add(warn="5")
    await planned.capable("restart")
    planned.clock.to(3, 55)
    await planned.due.tick()
    assert await planned.world.rows("select type, status from jobs") == [("SERVER_RESTART", "queued")]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"window": "2-2"}, "A window from 02:00 to 02:00 has no length, so nothing would ever run in it."),
        ({"window": "always at night"}, "always at night is no window; it takes such as `02:00-06:00`"),
        ({"window": "05:00-07:00"}, "At 04:00 every day never lies in the window 05:00-07:00"),
        ({"warn": "61"}, "`warn` has 61; it takes minutes from 1 to 60"),
        ({"warn": "soon"}, "`warn` has soon; it takes minutes"),
        ({"warn": "9, 8, 7, 6, 5"}, "A schedule has 5 steps at most; this would be 6."),
        ({"action": "announce", "text": "Hi", "warn": "5"}, "Players are warned of a restart or a stop"),
        ({"action": "start", "only_online": True}, "Only what is down is started"),
        ({"overlap": "explode"}, "A schedule cannot be like that."),
        ({"retries": 11}, "A schedule cannot be like that."),
        ({"backoff": 0}, "A schedule cannot be like that."),
    ],
)
async def test_what_cannot_be_saved(planned: Planned, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(AppError) as refused:
        await planned.add(**changed)
    assert words in refused.value.what and refused.value.remedy
    assert isinstance(refused.value, Invalid)
    assert await planned.world.value("select count(*) from schedules") == 0


async def test_conditions_are_those_that_were_shown(planned: Planned) -> None:
    options = {"window": "10pm to 6", "only_online": True, "only_empty": True, "overlap": "queue", "retries": 3}
    preview = await planned.adding.ask(again(planned.owner), planned.wish(**options, backoff=90, catch_up=True))
    await planned.confirmations.press(again(planned.owner), preview.token)
    saved = await planned.schedule(
        "to_char(execution_window_start, 'HH24:MI') || '-' || to_char(execution_window_end, 'HH24:MI')",
        "only_when_online", "only_when_empty", "overlap", "max_retries", "backoff_sec", "catch_up",
    )  # fmt: skip
    assert saved == ("22:00-06:00", True, True, "queue", 3, 90, True)
    assert preview.plan.runs[0].hour == 4 and preview.plan.runs[1] - preview.plan.runs[0] == timedelta(days=1)
