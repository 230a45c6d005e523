"""Logging in, and finding the answer among everything else that a console says."""

import pytest

from games.catalog import GameTemplate
from games.consoles.conversation import CHARACTERS_MAX, LINES_MAX, Exchange, LoginTalk
from games.patterns import Pattern
from games.sections.console import ConsoleSpec

NONCE = "00ff"
FENCE = "*** ERROR: unknown command 'zz00ff'"
ECHO = "2024-08-24T20:26:29 294.729 INF Executing command '{}' by Telnet from 127.0.0.1:50124"


@pytest.fixture
def spec(catalog: dict[str, GameTemplate]) -> ConsoleSpec:
    spec = catalog["7dtd"].console
    assert spec is not None
    return spec


def feed(exchange: Exchange, *records: str) -> list[str]:
    return [other for record in records for other in exchange.feed(record)]


def test_the_answer_stands_between_echo_and_fence(spec: ConsoleSpec) -> None:
    exchange = Exchange(spec, "gettime", NONCE)
    log = feed(exchange, "late noise", ECHO.format("gettime"), "", "Day 1, 08:28", "", FENCE, "after")
    assert exchange.send == ("gettime", "zz00ff")
    assert exchange.done
    assert exchange.lines == ("Day 1, 08:28",)
    assert log == ["late noise", "after"]


def test_without_an_echo_everything_is_the_answer(spec: ConsoleSpec) -> None:
    exchange = Exchange(spec, "gettime", NONCE)
    assert feed(exchange, "Day 1, 08:28", FENCE) == []
    assert exchange.lines == ("Day 1, 08:28",)


def test_somebody_elses_fence_or_command_is_not_ours(spec: ConsoleSpec) -> None:
    exchange = Exchange(spec, "lp", NONCE)
    others = [ECHO.format("kick 1"), "*** ERROR: unknown command 'zz00fe'"]
    assert feed(exchange, *others) == [others[0]]
    assert not exchange.done
    assert exchange.lines == (others[1],)


def test_log_records_between_the_lines_are_log(spec: ConsoleSpec) -> None:
    exchange = Exchange(spec, "lp", NONCE)
    chat = "2024-08-24T20:26:29 1.000 INF Chat (from 'Steam_1', entity id '1', to 'Global'): " + FENCE
    assert feed(exchange, ECHO.format("lp"), "a", chat, "b", FENCE) == [chat]
    assert exchange.lines == ("a", "b")


def test_an_endless_answer_is_cut_and_says_so(spec: ConsoleSpec) -> None:
    many = Exchange(spec, "help", NONCE)
    feed(many, *(["x"] * (LINES_MAX + 5)), FENCE)
    assert len(many.lines) == LINES_MAX + 1
    assert many.lines[-1] == "… (the answer was longer and has been cut)"
    long = Exchange(spec, "help", NONCE)
    feed(long, *(["x" * 1000] * 500), FENCE)
    assert sum(map(len, long.lines)) <= CHARACTERS_MAX + 100
    assert long.done


def test_an_ending_game_need_not_answer_the_fence(spec: ConsoleSpec) -> None:
    exchange = Exchange(spec, "shutdown", NONCE, Pattern("^Shutting server down"))
    feed(exchange, "Shutting server down...")
    assert exchange.done
    assert not exchange.fenced


def test_a_cut_echo_is_known_by_its_beginning(catalog: dict[str, GameTemplate]) -> None:
    spec = catalog["teeworlds"].console
    assert spec is not None
    command = "say " + "ä" * 300
    echoed = f"[04:35:25][server]: cid=0 cmd='{command[:120]}\ufffd"
    exchange = Exchange(spec, command, NONCE)
    log = feed(exchange, "[04:35:25][game]: x", echoed, "[04:35:25][chat]: *** ä")
    assert log == ["[04:35:25][game]: x"]
    assert exchange.lines == ("[04:35:25][chat]: *** ä",)


def test_a_password_is_sent_once(spec: ConsoleSpec) -> None:
    talk = LoginTalk(spec.login, "pw")
    talk.feed("Please enter password:")
    assert talk.reply == "pw"
    talk.feed("Please enter password:")
    assert talk.state == "bad"


def test_before_the_password_no_greeting_counts_as_a_login(spec: ConsoleSpec) -> None:
    talk = LoginTalk(spec.login, "pw")
    talk.feed("Please enter password:")
    talk.feed("Press 'help' to get a list of all commands. Press 'exit' to end session.")
    assert talk.state == "waiting"
