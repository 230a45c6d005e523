"""Lines become records as the template says, without secrets, and never too large."""

from datetime import UTC, datetime, timedelta

import pytest

from agent import wire
from agent.records_cutting import Cut, Cutter
from agent.runtime.trail import Line, Place, Position
from games.catalog import SHIPPED, load_template

NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


def cutter(game: str = "7dtd") -> Cutter:
    log = load_template(SHIPPED / f"{game}.yaml").log
    return Cutter(log, lambda text: text.replace("s3cret", "•••"), lambda line: line.endswith(" ours"), lambda: NOW)


def cut(*texts: str, game: str = "7dtd") -> list[Cut]:
    one = cutter(game)
    lines = [Line(text, Position(place=Place(inode=1, offset=n, head=0))) for n, text in enumerate(texts, 1)]
    return one.feed(lines) + one.rest()


def said(*texts: str, game: str = "7dtd") -> list[tuple[str, str]]:
    return [(one.record.level, one.record.message) for one in cut(*texts, game=game)]


def local(seconds: float = 0) -> str:
    return (NOW + timedelta(seconds=seconds)).astimezone().strftime("%Y-%m-%dT%H:%M:%S")


def test_levels_and_lines_that_belong_to_the_record_above() -> None:
    assert said(
        "what came before any record",
        f"{local()} 1.5 INF StartGame done",
        f"{local()} 2.5 EXC NullReferenceException",
        "  at Some.Method ()",
        "",
        "  at Another.Method ()",
        f"{local()} 3.5 WRN low memory",
        f"{local()} 3.6 ERR gone",
    ) == [
        ("info", "what came before any record"),
        ("info", "StartGame done"),
        ("error", "NullReferenceException\n  at Some.Method ()\n\n  at Another.Method ()"),
        ("warn", "low memory"),
        ("error", "gone"),
    ]


def test_positions_are_behind_the_record() -> None:
    found = cut(f"{local()} 1.5 INF a", "more of a", f"{local()} 2.5 INF b")
    assert [one.end.place and one.end.place.offset for one in found] == [2, 3]


def test_what_we_caused_ourselves_is_left_out() -> None:
    assert said(f"{local()} 1.5 EXC a", "  at b", f"{local()} 2.5 INF ours", f"{local()} 3.5 INF c") == [
        ("error", "a\n  at b"),
        ("info", "c"),
    ]


def test_teeworlds_says_no_level() -> None:
    assert said("[2030-01-02 03:04:05][chat]: 0:0:eve: ERR hello", "", game="teeworlds") == [
        ("info", "[chat]: 0:0:eve: ERR hello")
    ]


@pytest.mark.parametrize(("seconds", "kept"), [(-3600, True), (0, True), (3600, False)])
def test_the_time_that_the_game_says_unless_it_cannot_be(seconds: float, kept: bool) -> None:
    (one,) = cut(f"{local(seconds)} 1.5 INF a")
    assert one.record.ts == (NOW + timedelta(seconds=seconds) if kept else NOW)


def test_a_time_that_is_none() -> None:
    (one,) = cut("2030-99-99T99:99:99 1.5 INF a")
    assert one.record.ts == NOW


def test_secrets_and_nul_are_taken_out_before_anything_is_cut() -> None:
    secret = "x" * (wire.MESSAGE_BYTES - 40) + " s3cret"
    assert said(f"{local()} 1.5 INF pass\0word s3cret")[0][1] == "password •••"
    assert "s3c" not in said(f"{local()} 1.5 INF {secret}" + "é" * 10_000)[0][1]


@pytest.mark.parametrize("character", ["x", "é", "\x01", "\U0001f600"])
def test_what_is_too_long_is_cut_and_says_so(character: str) -> None:
    ((_, message),) = said(f"{local()} 1.5 INF " + character * 20_000)
    assert len(message.encode()) <= wire.MESSAGE_BYTES and message.endswith(character + " … (cut)")


def test_a_record_of_endless_lines_is_cut_too() -> None:
    ((_, message),) = said(f"{local()} 1.5 EXC stack", *["  at Some.Method ()"] * 5000)
    assert len(message.encode()) <= wire.MESSAGE_BYTES and message.endswith("(cut)")
