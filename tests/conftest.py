"""What every test may ask for: a database of its own on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import settings

from db.engine import Database
from tests import database
from tests.database import TestServer

# A busy machine is no failed example.
settings.register_profile("gamekeeper", deadline=None)
settings.load_profile("gamekeeper")


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    """The server of this run."""
    with database.running() as server:
        yield server


@pytest.fixture
async def database_url(postgres: TestServer) -> AsyncIterator[str]:
    """A migrated and seeded database of this test's own."""
    url = await postgres.create()
    yield url
    await postgres.drop(url)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """The bot's database, as it uses it."""
    database = Database(database_url)
    yield database
    await database.close()
