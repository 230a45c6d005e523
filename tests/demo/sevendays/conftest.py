"""Servers to test with: one that a module's tests share, and new ones on demand."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.demo.sevendays.running import Client, Running


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that the tests of one file use one after the other."""
    server = Running(tmp_path_factory.mktemp("server")).start()
    yield server
    server.stop()


@pytest.fixture
async def console(shared: Running) -> AsyncIterator[Client]:
    """A console on the shared server. Players that a test lets in are gone after it."""
    client = await shared.console()
    yield client
    client.close()
    for name in shared.control.players():
        shared.control.leave(name)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Makes a server of this test's own: `made({"ServerPort": "1"}, SEVENDAYS_LIFE="1")`. It is not started."""
    servers: list[Running] = []

    def make(properties: dict[str, str] | None = None, **environment: str) -> Running:
        servers.append(Running(tmp_path / f"server {len(servers)}", properties, **environment))
        return servers[-1]

    yield make
    for server in servers:
        if hasattr(server, "process"):
            server.stop()
