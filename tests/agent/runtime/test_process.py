"""Keepers and the processes they keep, with real ones."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from agent.errors import TaskFailed
from agent.runtime.keeper import Identity, identify
from agent.runtime.process import PATH, GameProcess, Launch
from agent.runtime.signals import is_alive, send
from tests.agent.runtime.conftest import end, identity_of, script

ECHO = """
import sys
print("up", flush=True)
for line in sys.stdin:
    print("heard " + line.strip(), flush=True)
    if line.strip() == "quit":
        sys.exit(3)
"""


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_game_is_started_heard_spoken_to_and_its_exit_code_kept(process: GameProcess, tmp_path: Path) -> None:
    game = await process.start(script(ECHO, cwd=tmp_path))
    assert process.alive
    assert process.kept
    assert process.exit() is None
    await until(lambda: process.tail() == ["up"])
    process.write("hello")
    process.write("quit")
    assert await process.gone(5)
    record = await process.ended()
    assert (record.game, record.code, record.signal, str(record)) == (game, 3, None, "exited with code 3")
    assert process.tail() == ["up", "heard hello", "heard quit"]
    assert not process.alive
    with pytest.raises(TaskFailed, match="does not run"):
        process.write("hello?")


async def test_a_signal_is_told_from_an_exit_code(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script("import time; time.sleep(60)", cwd=tmp_path))
    assert process.signal(signal.SIGTERM)
    assert await process.gone(5)
    record = await process.ended()
    assert (record.code, record.signal, str(record)) == (None, signal.SIGTERM, "ended by SIGTERM")
    assert not process.signal(signal.SIGTERM)


async def test_a_game_may_ignore_a_polite_signal(process: GameProcess, tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(60)"
    await process.start(script(stubborn, cwd=tmp_path))
    await until(process.tail)
    process.signal(signal.SIGTERM)
    assert not await process.gone(0.2)
    process.signal(signal.SIGKILL)
    assert await process.gone(5)
    assert (await process.ended()).signal == signal.SIGKILL


@pytest.mark.parametrize(
    ("argv", "cwd", "sentence"),
    [
        (["/nowhere/game"], ".", "/nowhere/game is not there"),
        (["{dir}/plain.txt"], ".", "plain.txt may not be executed"),
        (["{dir}/noise"], ".", "noise is not a program for this machine"),
        (["/bin/true"], "missing", "cannot be started in .*missing: No such file"),
    ],
)
async def test_why_a_game_does_not_start(
    process: GameProcess, tmp_path: Path, argv: list[str], cwd: str, sentence: str
) -> None:
    (tmp_path / "plain.txt").write_text("no program")
    (tmp_path / "noise").write_bytes(b"\0\1\2")
    (tmp_path / "noise").chmod(0o755)
    launch = Launch([part.format(dir=tmp_path) for part in argv], tmp_path / cwd, {"PATH": PATH})
    with pytest.raises(TaskFailed, match=sentence):
        await process.start(launch)
    assert not process.alive
    record = await process.ended()
    assert record.failed
    assert not (process.directory / "launch.json").exists()


async def test_the_game_gets_its_own_environment_and_no_descriptors_of_ours(
    process: GameProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMEKEEPER_SECRET", "hidden")
    ours = os.open(tmp_path / "secret", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(ours, True)
    text = """
    import json, os, signal
    ignored = [s.name for s in signal.Signals if signal.getsignal(s) == signal.SIG_IGN]
    print(json.dumps({"env": dict(os.environ), "fds": len(os.listdir("/proc/self/fd")) - 1, "cwd": os.getcwd(),
                      "ignored": ignored, "leads": os.getsid(0) == os.getpid()}))
    """
    await process.start(script(textwrap.dedent(text), cwd=tmp_path, env={"NAME": "value"}))
    await process.gone(5)
    await process.ended()
    told = json.loads(process.tail()[0])
    told["env"].pop("LC_CTYPE", None)  # Python's own, under the C locale
    assert told["env"] == {"PATH": PATH, "NAME": "value"}
    assert (told["fds"], told["cwd"], told["leads"]) == (3, str(tmp_path), True)
    assert set(told["ignored"]) <= {"SIGPIPE", "SIGXFSZ"}  # by the Python that the game is
    os.close(ours)


async def test_what_holds_secrets_is_private(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script(ECHO, cwd=tmp_path, env={"PASSWORD": "hunter2"}))
    assert stat.S_IMODE(process.directory.stat().st_mode) == 0o700
    assert not (process.directory / "launch.json").exists()
    keeper = psutil.Process(identity_of(process.directory, "keeper").pid)
    assert "hunter2" not in " ".join(keeper.cmdline())
    assert "hunter2" not in "".join(path.read_text() for path in process.directory.glob("*.json"))
    assert set(keeper.environ()) <= {"PATH", "LANG", "LC_CTYPE"}


async def test_closed_input_is_empty(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script("import sys; print(repr(sys.stdin.read()))", cwd=tmp_path, stdin=False))
    await process.gone(5)
    await process.ended()
    assert process.tail() == ["''"]


async def test_much_output_is_rotated_and_none_of_it_lost_in_between(process: GameProcess, tmp_path: Path) -> None:
    text = "for n in range(20000): print(f'{n:08d} ' + 'x' * 90)"
    await process.start(script(text, cwd=tmp_path, log_bytes=400_000, log_files=4))
    assert await process.gone(20)
    assert (await process.ended()).code == 0
    logs = [process.directory / name for name in ("log.3", "log.2", "log.1", "log")]
    assert all(path.stat().st_size <= 400_000 for path in logs)
    assert not (process.directory / "log.4").exists()
    numbers = [int(line[:8]) for line in "".join(path.read_text() for path in logs).splitlines() if len(line) == 99]
    assert numbers[-1] == 19999
    assert numbers == list(range(numbers[0], 20000))


async def test_a_script_that_forks_counts_as_ended_and_leaves_no_zombie(process: GameProcess, tmp_path: Path) -> None:
    text = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\nprint('bye')"
    game = await process.start(script(text, cwd=tmp_path))
    members = process.members()
    assert await process.gone(5)
    assert (await process.ended()).code == 0
    left = [one for one in members if one != game and is_alive(one)]
    for one in left:
        assert send(one, signal.SIGKILL)
    assert not process.alive


async def test_usage_counts_the_whole_tree(process: GameProcess, tmp_path: Path) -> None:
    text = "import os\nos.fork()\nblock = bytearray(30 << 20)\nprint('ready')\nn = 0\nwhile True: n += 1"
    await process.start(script(text, cwd=tmp_path))
    await until(lambda: "".join(process.tail()).count("ready") == 2)
    assert process.usage().cpu_percent is None
    await asyncio.sleep(0.3)
    usage = process.usage()
    assert len(process.members()) == 2
    assert usage.memory_mb > 60
    assert usage.cpu_percent is not None
    assert usage.cpu_percent > 20
    for one in process.members():
        send(one, signal.SIGKILL)


async def test_the_game_survives_its_keeper_and_is_kept_again(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script(ECHO, cwd=tmp_path))
    await until(process.tail)
    send(identity_of(process.directory, "keeper"), signal.SIGKILL)
    await until(lambda: not process.kept)
    process.write("alone")
    await asyncio.sleep(0.1)
    assert process.alive  # nobody reads its output, and it has got neither SIGPIPE nor an end of input
    await process.attach()
    assert process.kept
    await until(lambda: process.tail() == ["up", "heard alone"])
    process.write("quit")
    assert await process.gone(5)
    record = await process.ended()
    assert (record.code, record.signal, str(record)) == (None, None, "ended, exit code unknown")


async def test_a_game_that_floods_waits_for_its_next_keeper(process: GameProcess, tmp_path: Path) -> None:
    text = "import sys\nsys.stdin.readline()\nfor n in range(3000): print(f'{n:05d}' + 'y' * 95)\nprint('done')"
    await process.start(script(text, cwd=tmp_path))
    send(identity_of(process.directory, "keeper"), signal.SIGKILL)
    await until(lambda: not process.kept)
    process.write("go")
    assert not await process.gone(0.5)  # full pipe
    await process.attach()
    assert await process.gone(10)
    await process.ended()
    assert process.tail(1) == ["done"]
    assert len((process.directory / "log").read_text().splitlines()) == 3001


async def test_two_keepers_never_keep_one_game(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script(ECHO, cwd=tmp_path))
    first = identity_of(process.directory, "keeper")
    keeper = ["-I", "agent/runtime/keeper.py", str(process.directory), "attach"]
    second = await asyncio.to_thread(subprocess.run, [sys.executable, *keeper], capture_output=True, text=True)
    assert "has a keeper already" in second.stdout
    assert identity_of(process.directory, "keeper") == first
    assert process.kept


async def test_a_keeper_that_died_with_its_game_leaves_no_riddle(process: GameProcess, tmp_path: Path) -> None:
    game = await process.start(script(ECHO, cwd=tmp_path))
    send(identity_of(process.directory, "keeper"), signal.SIGKILL)
    send(game, signal.SIGKILL)
    await until(lambda: not process.alive and not process.kept)
    record = await process.ended()
    assert (record.game, record.code, record.signal) == (game, None, None)


async def test_a_later_process_with_the_same_number_is_left_alone(process: GameProcess, tmp_path: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        who = identify(innocent.pid)
        assert who is not None
        forged = Identity(who.pid, who.ticks - 1, who.boot_id)
        process.directory.mkdir(mode=0o700)
        state = {"game": forged, "keeper": forged, "log": [1 << 20, 2], "log_from": [0, 0], "started_at": 0}
        (process.directory / "state.json").write_text(json.dumps(state))
        assert not process.alive
        assert not process.kept
        assert not process.signal(signal.SIGKILL)
        assert process.members() == []
        assert await process.gone(0)
        assert str(await process.ended()) == "ended, exit code unknown"
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


OWNER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from agent.runtime.process import GameProcess, Launch

async def main():
    launch = Launch([sys.executable, "-u", "-c", {game!r}], Path({cwd!r}), {{}})
    await GameProcess(Path({directory!r})).start(launch)
    print("started", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_the_game_survives_the_agent_and_is_found_again(tmp_path: Path, how: signal.Signals) -> None:
    directory = tmp_path / "keeper"
    root = str(Path(__file__).parents[3])
    text = OWNER.format(root=root, game=ECHO, cwd=str(tmp_path), directory=str(directory))
    owner = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"started\n"
        owner.send_signal(how)
        owner.wait()
        owner.stdout.close()
        process = GameProcess(directory)
        assert process.alive
        assert process.kept
        process.write("still here")
        await until(lambda: process.tail() == ["up", "heard still here"])
        process.write("quit")
        assert await process.gone(5)
        assert (await process.ended()).code == 3
    finally:
        owner.kill()
        end(directory)


async def test_a_second_start_does_not_mix_with_the_first(process: GameProcess, tmp_path: Path) -> None:
    await process.start(script("print('one')", cwd=tmp_path))
    await process.gone(5)
    await process.ended()
    await process.start(script(ECHO, cwd=tmp_path))
    assert process.exit() is None
    await until(lambda: process.tail() == ["one", "up"])
    inode, offset = process.log_from
    assert (inode, offset) == (process.log.stat().st_ino, len("one\n"))
