"""Fixtures of the bot's own tests."""

import pytest

from db.engine import Database
from tests.bot.world import World


@pytest.fixture
async def world(db: Database) -> World:
    """A guild over a database of this test's own."""
    return await World(db).found()
