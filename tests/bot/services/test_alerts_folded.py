"""What a silent host took in: it ends with the host's incident, or gets one of its own."""

import pytest

from tests.bot.services.alert_world import Watchtower
from tests.bot.services.test_alerts_evaluation import finished
from tests.bot.world import World


@pytest.fixture
async def tower(world: World, monkeypatch: pytest.MonkeyPatch) -> Watchtower:
    """With a host that was silent for so long that there is an incident."""
    made = await Watchtower(world, monkeypatch).built()
    made.later(120)
    await made.look()
    assert await made.status() == [(1, "open")]
    return made


async def test_a_server_that_stays_down_after_its_host_is_back_gets_an_incident(tower: Watchtower) -> None:
    """A machine starts again, and one of its games does not."""
    assert await tower.look(state="crashed") == {"fire": 1}
    assert await tower.status() == [(1, "open")] and await tower.lines() == ["created", "folded"]
    tower.later(16)
    assert await tower.look(state="crashed") == {"resolve": 1}
    tower.later(5)
    assert await tower.look(state="crashed") == {"unfold": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")] and await tower.owed() == 2
    assert await tower.look(state="crashed") == {}
    await tower.clear()
    assert await tower.status() == [(1, "resolved"), (2, "resolved")]


async def test_a_job_that_failed_with_its_host_is_told_once_and_the_next_failure_again(tower: Watchtower) -> None:
    await tower.rule("job_run_failed")
    await finished(tower, "failed")
    assert await tower.look() == {"fire": 1}
    await tower.clear()
    assert await tower.status() == [(1, "resolved")] and await tower.lines() == ["created", "folded", "auto_resolved"]
    await finished(tower, "failed")
    assert await tower.look(state="running") == {"unfold": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")]


async def test_lines_that_were_told_with_the_host_are_not_told_again(tower: Watchtower) -> None:
    await tower.rule("log_keyword", {"keyword": "boom"})
    await tower.counted(1)
    assert await tower.look(state="running") == {"fire": 1}
    await tower.clear()
    tower.later(20)
    for _ in range(3):
        await tower.look(state="running")
        tower.later(16)
    assert await tower.status() == [(1, "resolved")] and await tower.firings() == set()
    await tower.counted(1)
    assert await tower.look(state="running") == {"fire": 1}
    assert await tower.status() == [(1, "resolved"), (2, "open")]


async def test_six_servers_of_a_host_that_starts_again_are_in_one_incident(tower: Watchtower) -> None:
    servers = [tower.server, *[await tower.add_server(f"EU{n}") for n in range(2, 7)]]
    for server in servers:
        await tower.report(server, state="crashed")
    assert await tower.look() == {"fire": 6}
    for server in servers:
        await tower.report(server)
    assert await tower.look() == {}
    tower.later(16)
    for server in servers:
        await tower.report(server)
    await tower.look()
    assert await tower.status() == [(1, "resolved")] and await tower.firings() == set()
    assert await tower.owed() == 1
