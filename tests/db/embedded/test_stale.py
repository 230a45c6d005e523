"""What a crash leaves behind never stops a start, and never costs an innocent process its life."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import Conflict
from db.embedded import EmbeddedPostgres
from tests.db.embedded.conftest import SAFE, sql


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def zombie() -> Iterator[int]:
    process = subprocess.Popen(["true"])
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    yield process.pid
    process.wait()


def leave_locks(server: EmbeddedPostgres, pid: int) -> None:
    """As a crash leaves them: the eighth line says ready."""
    server.start()
    contents = server.paths.pid_file.read_text().splitlines()
    server.stop()
    text = "\n".join([str(pid), *contents[1:]]) + "\n"
    server.paths.pid_file.write_text(text)
    (server.paths.socket / ".s.PGSQL.5432.lock").write_text(text)


def test_a_number_that_somebody_else_has_by_now(server: EmbeddedPostgres, innocent: subprocess.Popen[bytes]) -> None:
    leave_locks(server, innocent.pid)
    server.start()
    assert sql(server, "select 1") == "1"
    server.stop()
    assert innocent.poll() is None


def test_the_number_of_this_very_process(server: EmbeddedPostgres) -> None:
    leave_locks(server, os.getpid())
    server.start()
    assert sql(server, "select 1") == "1"


def test_a_zombie_is_no_server(server: EmbeddedPostgres, zombie: int) -> None:
    leave_locks(server, zombie)
    server.start()
    assert sql(server, "select 1") == "1"


def test_the_number_of_the_server_of_other_data(server: EmbeddedPostgres, home: Path) -> None:
    neighbour = EmbeddedPostgres(home / "postgres-2", settings=SAFE)
    neighbour.start()
    assert neighbour.pid
    leave_locks(server, neighbour.pid)
    server.start()
    assert sql(server, "select 1") == sql(neighbour, "select 1") == "1"
    neighbour.stop()


def test_a_lock_file_that_makes_no_sense(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    server.paths.pid_file.write_text("")
    server.start()
    assert sql(server, "select 1") == "1"


def test_a_server_that_somebody_started_by_hand_is_left_alone(
    server: EmbeddedPostgres, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = EmbeddedPostgres(server.paths.data, settings=SAFE)
    by_hand.start()
    by_hand._ownership.release()  # pyright: ignore[reportPrivateUsage] - as if pg_ctl had started it
    monkeypatch.setattr("db.embedded.locks._PATIENCE", 0.2)
    with pytest.raises(Conflict, match=f"PostgreSQL process {by_hand.pid} is using"):
        server.start()
    assert sql(by_hand, "select 1") == "1"
    by_hand.stop()
