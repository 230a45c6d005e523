"""What several tests of the services begin with."""

import pytest

from bot import clock
from tests.bot.services.schedules_world import Clock, Planned, at
from tests.bot.world import World


@pytest.fixture
async def planned(world: World, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """Everything at noon of one day."""
    moved = Clock(at(12))
    monkeypatch.setattr(clock, "now", moved)
    return await Planned.made(world, moved)
