"""The demo's directory and the processes that belong to it."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from bot.demo import processes
from bot.demo.directory import LOCK, PREFIX, WORK, workplace
from bot.errors import Conflict

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def test_it_is_empty_at_each_start_and_others_things_stay(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with workplace(tmp_path) as place:
        (place / "postgres").mkdir()
        (place / "postgres" / "old").write_text("x")
    with workplace(tmp_path) as again:
        assert again == place == tmp_path / WORK
        assert list(again.iterdir()) == []
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_second_demo_gets_a_place_of_its_own_which_goes_with_it(tmp_path: Path) -> None:
    with workplace(tmp_path) as first:
        (first / "running").touch()
        with workplace(tmp_path) as second:
            assert second != first
            (second / "running").touch()
        assert not second.exists()
        assert (first / "running").exists()


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / WORK).symlink_to(elsewhere)
    with pytest.raises(Conflict, match="symbolic link"), workplace(tmp_path / "data"):
        pass
    assert (elsewhere / "precious").exists()


def test_what_a_killed_demo_left_running_is_ended_and_nothing_else(tmp_path: Path) -> None:
    with workplace(tmp_path) as place:
        home = place / "servers" / "one"
        home.mkdir(parents=True)
    other = tmp_path / "demonstration"
    other.mkdir()
    left = subprocess.Popen([sys.executable, "-c", SLEEP], cwd=home, stdout=subprocess.PIPE)
    bystander = subprocess.Popen([sys.executable, "-c", SLEEP], cwd=other, stdout=subprocess.PIPE)
    try:
        for process in (left, bystander):
            assert process.stdout
            process.stdout.readline()
        with workplace(tmp_path):
            assert not psutil.pid_exists(left.pid)
            assert bystander.poll() is None
    finally:
        for process in (left, bystander):
            process.kill()
            process.wait()


def test_the_temporary_place_of_a_killed_demo_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{PREFIX}left"
    left.mkdir()
    (left / LOCK).touch()
    strange = tmp_path / f"{PREFIX}strange"
    strange.mkdir()
    game = subprocess.Popen([sys.executable, "-c", SLEEP], cwd=left, stdout=subprocess.PIPE)
    assert game.stdout
    game.stdout.readline()
    with workplace(tmp_path / "one"), workplace(tmp_path / "one") as second:
        assert not left.exists()
        assert not psutil.pid_exists(game.pid)
        with workplace(tmp_path / "two"):
            assert second.exists(), "the place of a living demo was cleared away"
    assert strange.exists(), "a directory without a lock is not known to be a demo's"
    game.wait()


def test_a_program_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from bot.demo.processes import start;"
        f"p = start([sys.executable, '-c', {SLEEP!r}], log=Path(sys.argv[1])); print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    stat = Path(f"/proc/{child}/stat")
    end = time.monotonic() + 5
    while stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z" and time.monotonic() < end:
        time.sleep(0.02)
    assert not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_stopping_insists(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    log = tmp_path / "log"
    process = processes.start([sys.executable, "-c", stubborn], log=log)
    end = time.monotonic() + 5
    while not log.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    processes.stop(process, grace=0.2)
    assert process.returncode == -9
