"""The PostgreSQL that some tests are run on: the newest one that we support, and the oldest."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import database
from tests.database import TestServer

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")
OLDEST = pytest.param("15", marks=pytest.mark.may_skip(reason="PostgreSQL 15 is a Debian package, not one of ours"))


@pytest.fixture(scope="module", params=["18", OLDEST])
def server(request: pytest.FixtureRequest) -> Iterator[TestServer]:
    if request.param == "18":
        yield request.getfixturevalue("postgres")
        return
    if not (SYSTEM_15 / "initdb").exists():
        pytest.skip("install postgresql-15")
    with database.running(SYSTEM_15) as found:
        yield found
