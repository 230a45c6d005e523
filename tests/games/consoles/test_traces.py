"""Which lines of a log are what our own asking left."""

from pathlib import Path

import pytest

from games.catalog import GameTemplate
from games.consoles.traces import Traces

AT = "[2030-01-02 03:04:05]"
NONCE = "0123456789abcdef"
ALICE = "addr=127.0.0.2:60987 client=705 name='alice'"


def traces(game: GameTemplate) -> Traces:
    return Traces(game.resolve(Path("/srv/arena"), game.new_secrets()))


@pytest.mark.parametrize(
    "line",
    [
        "[server]: cid=0 cmd='status'",
        f"[server]: id=0 {ALICE} score=0 ",
        "[server]: id=3 addr=127.0.0.5:33709 connecting",
        "[server]: cid=0 cmd='bans'",
        "[net_ban]: #0 '127.0.0.2' banned for 3 minutes (griefing)",
        "[net_ban]: 1 ban",
        f"[server]: cid=0 cmd='zz{NONCE}'",
        f"[Console]: No such command: zz{NONCE}.",
    ],
)
def test_of_teeworlds(catalog: dict[str, GameTemplate], line: str) -> None:
    assert traces(catalog["teeworlds"]).has(AT + line)


@pytest.mark.parametrize(
    "line",
    [
        "[chat]: 0:0:eve: [server]: cid=0 cmd='status'",
        f"[chat]: 0:0:eve: [Console]: No such command: zz{NONCE}.",
        f"[game]: team_join player='0:id=0 {ALICE} score=0' team=0",
        "[server]: cid=0 cmd='status; say hi'",
        "[server]: cid=0 cmd='kick 0 \"status\"'",
        "[Console]: No such command: zzz.",
        "[server]: ClientID=0 rcon='status'",
        "[server]: player has entered the game. ClientID=0 addr=127.0.0.2:60987",
        "[econ]: cid=0 authed",
    ],
)
def test_what_others_do_is_no_trace(catalog: dict[str, GameTemplate], line: str) -> None:
    assert not traces(catalog["teeworlds"]).has(AT + line)


def test_of_a_game_that_logs_the_echo_alone(catalog: dict[str, GameTemplate]) -> None:
    game = traces(catalog["7dtd"])
    echo = "2030-01-02T03:04:05 12.345 INF Executing command '{}' by Telnet from 127.0.0.1:40000"
    assert game.has(echo.format("lp")) and game.has(echo.format(f"zz{NONCE}"))
    assert not game.has(echo.format("say hi")) and not game.has(echo.format("lpx"))
