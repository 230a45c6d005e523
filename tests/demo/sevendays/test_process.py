"""The process: how it starts, what it says meanwhile, and how it ends."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo.sevendays.control import AsyncControl, ControlError
from bot.demo.sevendays.install import EXECUTABLE, install
from tests.demo.sevendays.running import Running, until

REFUSED = "*** ERROR: Command '{}' can only be executed when a game is started."
ENDING = ["Preparing quit", "SaveAndCleanupWorld", "OnApplicationQuit"]


def _order(server: Running, *wanted: str) -> bool:
    """Say whether the log holds these records in this order."""
    rest = iter(server.messages())
    return all(any(message.startswith(f"INF {text}") for message in rest) for text in wanted)


async def test_the_start(made: Callable[..., Running]) -> None:
    server = made(SEVENDAYS_START_SECONDS="0.6").start(ready=False)
    await server.logged(f"INF Started Telnet on {server.port}")
    console = await server.console()
    for line in ("lp", "shutdown", 'say "x"'):
        records = await console.records(line)
        assert records[-1] == REFUSED.format(line.split()[0])
        assert not any("Executing" in record for record in records)
    assert "Mod TFP_Harmony: 1.1.0.4" in await console.ask("version")
    assert server.control.join("early") == "Server is still initializing"
    assert "[Auth] ServerState authorization failed" in "".join(server.messages())
    server.control.wait_ready()
    assert await console.ask("lp") == ["Total of 0 in the game"]
    assert _order(
        server, "Version: V 2.5", "[MODS] Start", "[MODS] Loading done", "Started Telnet on", "StartGame done"
    )


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "shutdown"])
async def test_a_clean_end(made: Callable[..., Running], how: signal.Signals | str) -> None:
    server = made(SEVENDAYS_STOP_SECONDS="0.05").start()
    server.control.join("alice")
    console = await server.console()
    if isinstance(how, str):
        console.send(how)
        await console.until("Shutting server down...\r\n")
    else:
        server.process.send_signal(how)
    assert "INF OnApplicationQuit\r\n" in await console.rest()
    assert server.process.wait(5) == 0
    assert _order(server, "Preparing quit", "Player disconnected: ", "GMSG: Player 'alice' left", *ENDING[1:])
    assert (server.directory / "UserData/Saves/Navezgane/My Game/main.ttw").exists()
    assert not (server.directory / "control.json").exists()


async def test_it_can_be_ended_while_it_starts(made: Callable[..., Running]) -> None:
    server = made(SEVENDAYS_START_SECONDS="30").start(ready=False)
    await until((server.directory / "control.json").exists)
    server.process.terminate()
    assert server.process.wait(5) == 0
    assert _order(server, *ENDING)


async def test_a_crash(made: Callable[..., Running]) -> None:
    server = made().start()
    await AsyncControl(server.directory).crash(134)
    assert server.process.wait(5) == 134
    assert any(message.startswith("EXC AccessViolationException") for message in server.messages())
    assert not _order(server, "Preparing quit")
    with pytest.raises(ControlError, match="no server runs in"):
        server.control.join("alice")
    server.start()
    assert not any("EXC" in message for message in server.messages())  # each start begins a new log


async def test_a_hang_is_silent_and_deaf_to_sigterm(made: Callable[..., Running]) -> None:
    server = made().start()
    console = await server.console()
    server.control.hang(0.4)
    console.send("gt")
    server.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        server.process.wait(0.2)
    assert not console.text
    assert "Day 1" in await console.rest()
    assert server.process.wait(5) == 0


async def test_metrics_are_logged(made: Callable[..., Running]) -> None:
    server = made(SEVENDAYS_METRICS_SECONDS="0.05").start()
    server.control.join("alice")
    line = await server.logged("Ply: 1 ")
    assert re.fullmatch(
        r"INF Time: \d+\.\d\dm FPS: [\d.]+ Heap: [\d.]+MB Max: [\d.]+MB Chunks: \d+ CGO: \d+ Ply: 1 Zom: \d+ "
        r"Ent: \d+ \(\d+\) Items: \d+ CO: \d+ RSS: [\d.]+MB",
        line,
    )


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (None, "ERR Specified configfile not found: serverconfig.xml"),
        ("<ServerSettings>", "ERR Could not parse serverconfig.xml: "),
        ('<S><property name="TelnetFailedLoginLimit" value="x"/></S>', "ERR Property TelnetFailedLoginLimit is not a"),
    ],
)
def test_without_a_usable_configuration_it_gives_up(
    made: Callable[..., Running], config: str | None, error: str
) -> None:
    server = made()
    path = server.directory / "serverconfig.xml"
    path.unlink() if config is None else path.write_text(config, "utf-8")
    server.start(ready=False)
    assert server.process.wait(5) == 1
    assert server.messages()[-1].startswith(error)


async def test_a_taken_port_leaves_it_without_a_console(made: Callable[..., Running]) -> None:
    server = made()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", server.port))
        taken.listen()
        server.start()
    assert "ERR Error in Telnet.ctor: " in "".join(server.messages())


async def test_the_control_file_sets_the_next_start_and_belongs_to_its_owner(made: Callable[..., Running]) -> None:
    server = made()
    server.control.slow_start(0.5)
    del server.environment["SEVENDAYS_START_SECONDS"]
    server.start(ready=False)
    await until((server.directory / "control.json").exists)
    assert not server.control.ready()
    assert stat.S_IMODE((server.directory / "control.json").stat().st_mode) == 0o600
    server.control.wait_ready()


def test_the_process_that_is_started_is_the_game(made: Callable[..., Running]) -> None:
    server = made().start()
    command = Path(f"/proc/{server.process.pid}/cmdline").read_text().split("\0")
    assert [Path(word).name for word in command[2:5]] == [EXECUTABLE, "-quit", "-batchmode"]


def test_an_interpreter_with_an_odd_path_runs_it_too(
    made: Callable[..., Running], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a place with spaces" / ("long" * 30)
    folder.mkdir(parents=True)
    (folder / "python").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    server = made().start()
    assert server.executable.read_text("utf-8").startswith("#!/bin/sh\n")
    assert os.readlink(f"/proc/{server.process.pid}/exe") == str(Path(sys.executable).resolve())


def test_installing_again_keeps_what_was_set(made: Callable[..., Running]) -> None:
    server = made()
    before = (server.directory / "serverconfig.xml").read_bytes()
    assert install(server.directory) == server.executable
    assert (server.directory / "serverconfig.xml").read_bytes() == before
    assert os.access(server.executable, os.X_OK)
