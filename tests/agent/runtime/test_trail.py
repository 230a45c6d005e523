"""A log is read once, whatever becomes of its files and of whoever reads them."""

import os
from pathlib import Path

import pytest

from agent.runtime.keeper import Log
from agent.runtime.logs import LINE_MAX
from agent.runtime.trail import Place, Position, Trail, before_start, end_of, older_than


class Reader:
    """Reads, ends and goes on at the position behind the last line, as an agent does that is killed."""

    def __init__(self, place: Path, *, joined: bool = True) -> None:
        self.place, self._joined = place, joined
        self.position = Position()
        self.trail = self._trail()

    def files(self) -> list[Path]:
        if not self._joined:
            return sorted(self.place.glob("*.txt"), key=lambda path: path.stat().st_mtime_ns)
        rotated = sorted(self.place.glob("log.*"), key=lambda path: -int(path.suffix[1:]))
        return [*rotated, *self.place.glob("log")]

    def read(self) -> list[str]:
        texts: list[str] = []
        while lines := self.trail.read():
            texts += [line.text for line in lines]
            self.position = lines[-1].end
        return texts

    def die(self) -> None:
        stored = self.position.model_dump_json()
        self.position = Position.model_validate_json(stored)
        self.trail = self._trail()

    def _trail(self) -> Trail:
        return Trail(self.files, self.position, joined=self._joined)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """The real writer of a game's output: files of 100 bytes, and three of them."""
    monkeypatch.chdir(tmp_path)
    return Log(100, 3)


@pytest.mark.parametrize("dies", [False, True])
def test_lines_as_they_come(reader: Reader, keeper: Log, dies: bool) -> None:
    assert reader.read() == []
    for data, expected in ((b"one\ntw", ["one"]), (b"o\r\n", ["two"]), (b"", []), (b"\xffthree\n", ["\ufffdthree"])):
        keeper.write(data)
        assert reader.read() == expected
        if dies:
            reader.die()


@pytest.mark.parametrize("dies", [False, True])
@pytest.mark.parametrize("every", [1, 3, 7])
def test_rotation_in_the_middle_of_a_line(reader: Reader, keeper: Log, every: int, dies: bool) -> None:
    """Seven writes fill two files: the reader finds the third in use."""
    lines = [f"number {n} of the lines" for n in range(40)]
    found: list[str] = []
    data = "".join(f"{line}\n" for line in lines).encode()
    for n, start in enumerate(range(0, len(data), 30)):
        keeper.write(data[start : start + 30])
        if n % every == 0:
            found += reader.read()
            if dies:
                reader.die()
    assert found + reader.read() == lines


def test_what_was_rotated_away_is_lost_and_nothing_comes_twice(reader: Reader, keeper: Log) -> None:
    for n in range(100):
        keeper.write(b"number %d\n" % n)
        if n == 3:
            assert reader.read() == [f"number {n}" for n in range(4)]
    found = [int(line.split()[1]) for line in reader.read() if line.startswith("number ")]
    assert found == list(range(found[0], 100)) and found[0] > 4


@pytest.mark.parametrize("dies", [False, True])
def test_a_game_that_begins_its_log_anew(tmp_path: Path, dies: bool) -> None:
    """The same file, cut to nothing and written again, longer than before; the name may stay, and the inode."""
    reader, file = Reader(tmp_path, joined=False), tmp_path / "game.txt"
    file.write_text("first run\nno end")
    assert reader.read() == ["first run"]
    if dies:
        reader.die()
    file.write_text("second run\nand more of it\n")
    found = reader.read()
    assert found == (["second run", "and more of it"] if dies else ["no end", "second run", "and more of it"])


def test_a_new_file_for_every_run(tmp_path: Path) -> None:
    """What is older was read, and is not read again when something touches it."""
    reader = Reader(tmp_path, joined=False)
    for n in range(20):
        (tmp_path / f"run-{n}.txt").write_text(f"{n} begins\n{n} ends")
        assert reader.read() == [f"{n - 1} ends"] * (n > 0) + [f"{n} begins"]
    os.utime(tmp_path / "run-10.txt", (9e9, 9e9))
    assert reader.read() == ["19 ends"]  # it is no longer the newest, so nothing more is expected of it
    assert reader.read() == []


def test_a_line_without_an_end(reader: Reader, keeper: Log) -> None:
    """It comes up to a length, and what follows it is read again."""
    for _ in range(10):
        keeper.write(b"x" * 10_000)
    found = reader.read()
    keeper.write(b"end of it\nnext\n")
    found += reader.read()
    (long, following) = found
    assert LINE_MAX < len(long) < 2 * LINE_MAX and following == "next"


def test_where_a_log_begins_that_nobody_has_read(tmp_path: Path) -> None:
    old, new = tmp_path / "log.1", tmp_path / "log"
    old.write_text("old\n")
    new.write_text("before\nafter\n")
    os.utime(old, (1000, 1000))
    inode = new.stat().st_ino
    reader = Reader(tmp_path)
    for position, expected in (
        (before_start([old, new], inode, 7), ["after"]),
        (before_start([old, new], 0, 0), ["old", "before", "after"]),
        (before_start([old, new], 1, 5), []),
        (end_of([old, new]), []),
        (older_than([old, new], 2000), ["before", "after"]),
        (older_than([old, new], 0), ["old", "before", "after"]),
    ):
        reader.position = position
        reader.die()
        assert reader.read() == expected


def test_a_file_is_known_by_how_it_begins(tmp_path: Path) -> None:
    """An inode number alone says little: the next file may get it."""
    path = tmp_path / "log"
    path.write_text("hello world")
    place = Place.at(path.stat().st_ino, 5, b"hello world")
    assert place.is_in(path)
    path.write_text("hellO world")
    assert not place.is_in(path)
    path.write_text("hell")
    assert not place.is_in(path)
    assert not place.is_in(tmp_path / "gone")
