"""A server lives as long as its owner, and what was committed lives longer."""

import asyncio
import os
import signal
import threading
from pathlib import Path

import pytest

from bot.errors import Unavailable
from db.connect import Connector
from db.embedded import EmbeddedPostgres
from db.embedded.locks import InUse
from tests.db.embedded.conftest import SAFE, StartOwner, gone, sql


def test_a_stopped_server_is_gone_and_its_data_is_there_at_the_next_start(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid
    assert pid
    sql(server, "create table kept as select 7 as n")
    server.stop()
    assert gone(pid, server.paths.data, seconds=0)
    server.start()
    assert sql(server, "select n from kept") == "7"


async def test_who_comes_too_early_waits_for_it(server: EmbeddedPostgres) -> None:
    """As replicas do whose database was killed with them: it recovers while they start."""
    server.start()
    server.stop()
    connector = Connector(server.dsn("postgres"), "start")
    early = asyncio.create_task(connector.come_up())
    await asyncio.sleep(0.5)
    assert not early.done()
    server.start()
    await asyncio.wait_for(early, 10)
    await (await connector.writing()).close()
    server.stop()
    await connector.come_up(patience=0.5)
    with pytest.raises(FileNotFoundError):
        await connector.writing()


def test_it_speaks_no_network_and_sorts_the_same_everywhere(server: EmbeddedPostgres) -> None:
    server.start()
    assert sql(server, "select current_setting('listen_addresses')") == ""
    assert sql(
        server, "select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = 'postgres'"
    ) in (
        "C.UTF-8|UTF8",
        "C.UTF8|UTF8",
    )


def test_killing_the_owner_ends_the_server_and_the_next_start_recovers(home: Path, owner: StartOwner) -> None:
    data = home / "postgres"
    first = owner(data)
    other = EmbeddedPostgres.attach(data)
    sql(other, "create table kept as select 7 as n")
    first.kill()
    again = owner(data)
    assert again.answer.startswith("ready"), again.answer
    assert gone(first.server_pid, data)
    assert sql(other, "select n from kept") == "7"


def test_a_killed_server_can_be_started_again_at_once(server: EmbeddedPostgres) -> None:
    server.start()
    sql(server, "create table kept as select 7 as n")
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    server.stop()
    server.start()
    assert sql(server, "select n from kept") == "7"


def says_ready(server: EmbeddedPostgres) -> bool:
    return server.paths.pid_file.exists() and "ready" in server.paths.pid_file.read_text()


async def test_a_watched_server_comes_back_by_itself(server: EmbeddedPostgres) -> None:
    server.start()
    sql(server, "create table kept as select 7 as n")
    watching = asyncio.create_task(server.watch())
    for _ in range(2):
        pid = server.pid
        assert pid
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(30):
            while server.pid == pid or not says_ready(server):
                await asyncio.sleep(0.02)
        assert await asyncio.to_thread(sql, server, "select n from kept") == "7"
    server.stop()
    await asyncio.wait_for(watching, 10)


async def test_a_watched_server_that_dies_while_it_starts_comes_back_as_well(server: EmbeddedPostgres) -> None:
    server.start()
    watching = asyncio.create_task(server.watch())
    killed: set[int] = set()
    async with asyncio.timeout(30):
        while len(killed) < 4:
            if server.pid and server.pid not in killed:
                os.kill(server.pid, signal.SIGKILL)
                killed.add(server.pid)
            await asyncio.sleep(0.002)
        while server.pid in killed or not says_ready(server):
            await asyncio.sleep(0.02)
    assert await asyncio.to_thread(sql, server, "select 1") == "1"
    server.stop()
    await asyncio.wait_for(watching, 10)


def test_two_owners(home: Path, owner: StartOwner) -> None:
    first = owner(home / "postgres")
    second = EmbeddedPostgres(home / "postgres", settings=SAFE)
    with pytest.raises(InUse) as refused:
        second.start()
    assert refused.value.what == f"Gamekeeper already runs on {home} (process {first.process.pid})."
    second.stop()
    assert sql(EmbeddedPostgres.attach(home / "postgres"), "select 1") == "1", "the first is not disturbed"


def test_a_command_uses_the_running_server_or_one_of_its_own(home: Path, owner: StartOwner) -> None:
    data = home / "postgres"
    with EmbeddedPostgres.borrow(data) as own:
        assert own.pid
        own.create_database()
    assert gone(own.pid or 0, data, seconds=0)
    running = owner(data)
    with EmbeddedPostgres.borrow(data) as theirs:
        theirs.create_database("scratch")
        assert sql(theirs, "select 1", "scratch") == "1"
    assert not gone(running.server_pid, data, seconds=0.1), "borrowing does not stop it"


def test_attaching_where_nothing_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.embedded.server._ATTACH_SECONDS", 0.1)
    with pytest.raises(Unavailable, match="No database runs in"):
        EmbeddedPostgres.attach(home / "postgres")


def test_it_is_started_on_the_main_thread_only(server: EmbeddedPostgres) -> None:
    raised: list[BaseException] = []

    def start() -> None:
        try:
            server.start()
        except AssertionError as error:
            raised.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(raised[0])
