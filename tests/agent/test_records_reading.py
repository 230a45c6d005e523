"""Where records wait while nobody takes them: in the log as long as that is safe, then on disk, and never in memory."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.records import BEHIND, Stream
from agent.runtime.server import GameServer
from tests.agent.runtime.conftest import Card, Host, inside

SMALL = 400_000
"""Bytes of a budget that a test fills."""


class Logged:
    """A server that was created and never started, and what a keeper would write of its output."""

    def __init__(self, server: GameServer, place: Path) -> None:
        self.server = server
        self.stream = Stream(server.spec.id, place, budget=SMALL)
        self.log = inside(server).process.log
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._written = 0

    def write(self, lines: int) -> None:
        with self.log.open("a") as file:
            for n in range(self._written, self._written + lines):
                file.write(f"[2030-01-02 03:04:05][chat]: line {n} {'x' * 100}\n")
        self._written += lines

    def rotate(self) -> None:
        for older in (3, 2, 1):
            path = self.log.with_name(f"log.{older}")
            if path.exists():
                path.replace(self.log.with_name(f"log.{older + 1}"))
        self.log.replace(self.log.with_name("log.1"))

    def waiting(self) -> int:
        return sum(path.stat().st_size for path in self.stream.spool.directory.glob("*.batch"))

    def sent(self, batches: int = 10**9) -> Iterator[int]:
        """Sends as long as there is something; the numbers of the lines, and -1 for a gap."""
        for message in self.messages(batches):
            yield -1 if "missing" in message else int(message.split()[2])

    def messages(self, batches: int = 10**9) -> Iterator[str]:
        while batches and (head := self.stream.spool.head(self.server.spec.id)) is not None:
            yield from (record.message for record in head.records)
            self.stream.spool.sent()
            batches -= 1


@pytest.fixture
async def logged(tmp_path: Path) -> Logged:
    host = Host(tmp_path)
    server = GameServer(host.spec("teeworlds"), host.config, host.catalog)
    await server.create(Card())
    return Logged(server, tmp_path / "records")


async def test_a_lot_waits_in_the_log_and_nothing_is_dropped(logged: Logged) -> None:
    logged.stream.look(logged.server)
    logged.write(20_000)
    found: list[int] = []
    for _ in range(60):
        logged.stream.look(logged.server)
        assert logged.waiting() < SMALL
        found += logged.sent(3)
    for _ in range(2):
        logged.stream.look(logged.server)
    found += logged.sent()
    assert found == list(range(20_000))


async def test_what_is_about_to_be_rotated_away_is_read_all_the_same(logged: Logged) -> None:
    """Then the oldest are given up, and counted."""
    logged.stream.look(logged.server)
    for _ in range(4):
        logged.write(5000)
        logged.stream.look(logged.server)
        logged.rotate()
        logged.log.touch()
    logged.write(1)
    logged.stream.look_before_start(logged.server)
    found = list(logged.sent())
    assert found.count(-1) == 1 and found[-1] == 20_000
    known = [n for n in found if n >= 0]
    assert known == sorted(set(known)) and len(known) < 20_000


async def test_logs_are_looked_at_less_often_while_much_is_waiting(logged: Logged) -> None:
    logged.stream.look(logged.server)
    first = logged.stream.next_look
    for _ in range(BEHIND):
        logged.write(2)
        logged.stream.look(logged.server)
    assert len(logged.stream.spool) >= BEHIND and logged.stream.next_look - first > 4
    assert list(logged.sent()) == list(range(2 * BEHIND - 1)), "the last one may go on"
    logged.stream.look(logged.server)
    assert logged.stream.next_look - first < 4


async def test_the_last_record_of_a_run_does_not_go_on_in_the_next(logged: Logged) -> None:
    logged.stream.look(logged.server)
    logged.write(1)
    logged.stream.look_before_start(logged.server)
    with logged.log.open("a") as file:
        file.write("what a game prints before its first record\n")
    for _ in range(2):
        logged.stream.look(logged.server)
    head = logged.stream.spool.head(logged.server.spec.id)
    assert head is not None and len(head.records) == 1


async def test_a_game_that_logs_faster_than_it_is_read(logged: Logged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look ends all the same, and a start does not wait for ever: what it gives up it tells of."""
    logged.stream.look(logged.server)
    monkeypatch.setattr("agent.records.LOOK_AT_MOST", 0.0)
    monkeypatch.setattr("agent.records.BEFORE_START_AT_MOST", 0.0)
    logged.write(2000)
    logged.stream.look(logged.server)
    read = list(logged.sent())
    assert read == list(range(len(read))) and 0 < len(read) < 1000
    logged.stream.look_before_start(logged.server)
    logged.write(1)
    for _ in range(2):
        logged.stream.look(logged.server)
    read = list(logged.sent())
    assert read[-2:] == [-1, 2000] and read.count(-1) == 1 and len(read) < 1500


async def test_what_no_line_should_be(logged: Logged) -> None:
    """Far too long, not text, without an end: bounded, marked, and what follows is whole."""
    logged.stream.look(logged.server)
    start = b"[2030-01-02 03:04:05][chat]: "
    with logged.log.open("ab") as file:
        for line in (b"x" * 20_000, b"y" * 300_000, b"\xff\0\0\xed\xa0\x80", b"end"):
            file.write(start + line + b"\n")
    for _ in range(8):
        logged.stream.look(logged.server)
    first, second, odd, end = (message.removeprefix("[chat]: ") for message in logged.messages())
    assert first.endswith("x … (cut)") and second.endswith("y … (cut)")
    assert odd == "\ufffd" * 4 and end == "end"


@pytest.mark.timeout(20)
async def test_a_pipe_where_the_log_was(logged: Logged) -> None:
    """Nobody would ever write to it."""
    logged.stream.look(logged.server)
    os.mkfifo(logged.log)
    logged.stream.look(logged.server)
    logged.log.unlink()
    logged.write(1)
    for _ in range(2):
        logged.stream.look(logged.server)
    assert list(logged.sent()) == [0]


async def test_a_disk_that_is_full_for_a_while(logged: Logged) -> None:
    """What was read and could not be kept is read again."""
    logged.stream.look(logged.server)
    directory = logged.stream.spool.directory
    logged.write(3)
    hidden = directory.rename(directory.with_name("hidden"))
    logged.stream.look(logged.server)
    hidden.rename(directory)
    for _ in range(2):
        logged.stream.look(logged.server)
    assert list(logged.sent()) == [0, 1, 2]
