"""What is in maintenance raises no alert, what is held is not down, and what still is so afterwards is posted then."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.bot.services.alert_world import Watchtower
from tests.bot.world import World


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    return await Watchtower(world, monkeypatch).built()


async def window(tower: Watchtower, seconds: float = 60, **of: Any) -> UUID:
    """Maintenance from now on; without a target of everything."""
    return await tower.world.value(
        """insert into maintenance_windows (org_id, host_id, server_instance_id, tag, reason, starts_at, ends_at)
           values (:org, :host, :server, :tag, 'x', :now, :ends_at) returning id""",
        org=tower.world.org_id,
        now=tower.now,
        ends_at=tower.now + timedelta(seconds=seconds),
        **{"host": None, "server": None, "tag": None, **of},
    )


async def hold(tower: Watchtower, seconds: float | None = None) -> None:
    await tower.world.rows(
        """insert into server_holds (server_instance_id, org_id, reason, created_at, expires_at)
           values (:server, :org, 'x', :now, :until)""",
        server=tower.server,
        org=tower.world.org_id,
        now=tower.now,
        until=tower.now + timedelta(seconds=seconds) if seconds else None,
    )


@pytest.mark.parametrize("of", ["everything", "host", "server", "tag"])
async def test_what_still_is_so_at_the_end_is_posted_then(tower: Watchtower, of: str) -> None:
    await tower.world.rows(
        "insert into server_tags (org_id, server_instance_id, tag) values (:org, :server, 'eu')",
        org=tower.world.org_id,
        server=tower.server,
    )
    targets: dict[str, Any] = {"host": tower.host.id, "server": tower.server, "tag": "eu"}
    await window(tower, **{of: targets[of]} if of in targets else {})
    assert await tower.look(state="crashed") == {}
    tower.later(59)
    assert await tower.look(state="crashed") == {} and await tower.owed() == 0
    tower.later(1)
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.status() == [(1, "open")] and await tower.owed() == 1


async def test_what_is_over_by_then_is_not(tower: Watchtower) -> None:
    await window(tower)
    tower.later(50)
    assert await tower.look(state="crashed") == {}
    tower.later(5)
    assert await tower.look(state="running") == {}
    tower.later(10)
    assert await tower.look(state="running") == {} and await tower.status() == []


async def test_a_crash_after_the_end_counts(tower: Watchtower) -> None:
    await window(tower, seconds=5)
    tower.later(6)
    assert await tower.look(state="crashed") == {"fire": 1}


async def test_a_window_that_was_ended_by_hand_is_over(tower: Watchtower) -> None:
    made = await window(tower)
    assert await tower.look(state="crashed") == {}
    tower.later(1)
    await tower.world.rows("update maintenance_windows set ended_at = :now where id = :id", now=tower.now, id=made)
    assert await tower.look(state="crashed") == {"fire": 1}


async def test_what_takes_some_time_takes_it_anew_after_the_end(tower: Watchtower) -> None:
    """Down for 10 s: those in maintenance do not count."""
    await window(tower)
    await tower.look(state="stopped")
    tower.later(60)
    assert await tower.look(state="stopped") == {}
    tower.later(11)
    assert await tower.look(state="stopped") == {"fire": 1}


async def test_an_open_incident_stays_and_ends_as_ever(tower: Watchtower) -> None:
    await tower.look(state="crashed")
    await window(tower, seconds=600)
    tower.later(400)
    assert await tower.look(state="crashed") == {}, "no further line, no message"
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created"]
    await tower.clear()
    assert await tower.status() == [(1, "resolved")]


async def test_a_host_in_maintenance_may_be_silent(tower: Watchtower) -> None:
    await window(tower, seconds=300, host=tower.host.id)
    tower.later(200)
    assert await tower.look() == {}
    tower.later(100)
    assert await tower.look() == {"fire": 1}
    assert await tower.world.value("select title from incidents") == "gs-1 is offline"


@pytest.mark.parametrize("of", ["server", "tag"])
async def test_maintenance_of_a_server_says_nothing_of_its_host(tower: Watchtower, of: str) -> None:
    await window(tower, seconds=300, **{of: tower.server if of == "server" else "eu"})
    tower.later(200)
    assert await tower.look() == {"fire": 1}


async def test_lines_and_jobs_are_silent_too(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "Oops", "window_minutes": 5, "threshold": 1})
    await window(tower)
    await tower.counted(1)
    assert await tower.look(state="running") == {}
    tower.later(60)
    assert await tower.look(state="running") == {"fire": 1}, "within the last five minutes it was so"


async def test_a_held_server_is_not_down(tower: Watchtower) -> None:
    await hold(tower, seconds=60)
    assert await tower.look(state="crashed") == {}
    tower.later(59)
    assert await tower.look(state="crashed") == {}
    tower.later(1)
    assert await tower.look(state="crashed") == {"fire": 1}, "the hold is over, swept up or not"


async def test_a_hold_silences_nothing_but_that(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "Oops", "window_minutes": 5, "threshold": 1})
    await hold(tower)
    await tower.counted(1)
    assert await tower.look(state="running") == {"fire": 1}


async def test_maintenance_next_door_silences_nothing(tower: Watchtower) -> None:
    other = await World(tower.world.db, guild=2002).found()
    await window(tower)
    await tower.world.rows("update maintenance_windows set org_id = :org", org=other.org_id)
    assert await tower.look(state="crashed") == {"fire": 1}
