"""Power actions and crashes, with a game that does what a test writes into its script."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.errors import Cancelled, TaskFailed
from agent.runtime.keeper import identify
from agent.runtime.server import GameServer
from agent.runtime.signals import gone, is_alive, send
from agent.wire import Step
from games.catalog import GameTemplate, load_catalog
from tests.agent.runtime.conftest import Card, Host, identity_of, inside, until_state

READY = "print('ready', flush=True)\n"
WAIT = "import time\ntime.sleep(60)\n"
DEAF = "import signal\nfor s in (signal.SIGINT, signal.SIGTERM): signal.signal(s, signal.SIG_IGN)\n"


@pytest.fixture
def scripted(host: Host) -> Host:
    """A host that knows the scripted game."""
    host.catalog = load_catalog(Path(__file__).parent / "games")
    return host


def write_game(host: Host, text: str, slug: str = "one") -> None:
    game = host.place / "servers" / slug / "game"
    game.write_text(f"#!{sys.executable} -Iu\n{text}")
    game.chmod(0o755)


async def made(host: Host, text: str, **wish: object) -> GameServer:
    """A server whose game is this script; not started."""
    server = await host.server(host.spec("scripted", **wish))
    await server.create(Card())
    write_game(host, text)
    return server


def game_of(host: Host, server: GameServer) -> Path:
    return host.config.state_dir / "instances" / str(server.spec.id) / "keeper"


# ------------------------------------------------------------------------------------------------------- starting


async def test_why_it_cannot_be_started(scripted: Host) -> None:
    server = await scripted.server(scripted.spec("scripted"))
    with pytest.raises(TaskFailed, match="never created here"):
        await server.start(Card())
    assert (await server.status()).state == "unknown"
    assert "cannot be started yet" in await server.create(Card())
    with pytest.raises(TaskFailed, match="servers/one/game is not there"):
        await server.start(Card())
    report = await server.status()
    assert report.state == "stopped"
    assert "is not there" in report.note


async def test_a_game_that_ends_while_it_starts(scripted: Host) -> None:
    text = "import os, sys\nprint('the key is', os.environ['API_KEY'])\nsys.exit(4)\n"
    server = await made(scripted, text, restart_policy="never")
    with pytest.raises(TaskFailed, match=r"exited with code 4 after 0 s.*last words: the key is •••"):
        await server.start(Card())
    report = await server.status()
    assert (report.state, report.crashes) == ("crashed", 1)
    assert "restart policy is never" in report.note


async def test_a_game_that_is_never_ready_is_left_running(scripted: Host) -> None:
    scripted.catalog["scripted"] = _with_timeout(scripted, 0.5)
    server = await made(scripted, WAIT)
    with pytest.raises(TaskFailed, match=r"Not ready after .*its log does not say so.*left running"):
        await server.start(Card())
    report = await until_state(server, "running")
    assert "not seen to be ready" in report.note


def _with_timeout(host: Host, seconds: float) -> GameTemplate:
    template = host.catalog["scripted"]
    ready = template.process.ready.model_copy(update={"timeout": seconds})
    return template.model_copy(update={"process": template.process.model_copy(update={"ready": ready})})


async def test_settings_take_effect_at_the_next_start(scripted: Host) -> None:
    server = await made(scripted, "import sys\nprint('said', sys.argv[1])\n" + READY + WAIT)
    await server.start(Card())
    server.update(scripted.spec("scripted", vars={"greeting": "bonjour"}))
    await server.restart(Card())
    assert "said bonjour" in inside(server).process.tail()
    assert "bonjour" in (scripted.place / "servers/one/game.cfg").read_text()
    server.update(scripted.spec("scripted", vars={"api_key": "mine"}))
    with pytest.raises(TaskFailed, match="`api_key` is a secret"):
        await server.restart(Card())
    assert (await server.status()).state == "stopped"


# ------------------------------------------------------------------------------------------------------- stopping


async def test_the_ladder_is_climbed_to_its_end(scripted: Host) -> None:
    server = await made(scripted, DEAF + READY + WAIT)
    await server.start(Card())
    card = Card()
    assert await server.stop(card) == "Stopped: SIGINT had no effect, SIGTERM had no effect, ended by SIGKILL."
    assert card.steps == [Step.STOPPING]
    report = await server.status()
    assert (report.state, report.crashes, report.note) == ("stopped", 0, "")


async def test_stopping_takes_the_processes_below_along(scripted: Host) -> None:
    child = "import os\nif os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(60)\n"
    server = await made(scripted, child + READY + WAIT)
    await server.start(Card())
    below = inside(server).process.members()
    assert len(below) == 2
    await server.stop(Card())
    assert not any(is_alive(one) for one in below)


async def test_kill_frees_a_stop_that_hangs(scripted: Host) -> None:
    rungs = scripted.catalog["scripted"].process.stop
    slow = tuple(rung.model_copy(update={"wait_exit": 30.0}) for rung in rungs)
    process = scripted.catalog["scripted"].process.model_copy(update={"stop": slow})
    scripted.catalog["scripted"] = scripted.catalog["scripted"].model_copy(update={"process": process})
    server = await made(scripted, DEAF + READY + WAIT)
    await server.start(Card())
    stopping = asyncio.create_task(server.stop(Card()))
    await until_state(server, "stopping")
    assert await server.kill() == "Killed."
    await asyncio.wait_for(stopping, 5)
    assert (await server.status()).state == "stopped"


async def test_kill_frees_a_start_that_hangs_and_nothing_starts_it_again(scripted: Host) -> None:
    server = await made(scripted, WAIT, restart_policy="always")
    starting = asyncio.create_task(server.start(Card()))
    await until_state(server, "starting")
    async with asyncio.timeout(5):
        while not inside(server).process.alive:
            await asyncio.sleep(0.01)
    assert await server.kill() == "Killed."
    with pytest.raises(TaskFailed, match="killed while it was starting"):
        await starting
    await asyncio.sleep(0.4)
    report = await server.status()
    assert (report.state, report.note) == ("stopped", "killed")


async def test_a_second_action_is_told_what_the_first_one_is(scripted: Host) -> None:
    server = await made(scripted, WAIT)
    starting = asyncio.create_task(server.start(Card()))
    await until_state(server, "starting")
    with pytest.raises(TaskFailed, match="Something else is being done with this server: starting"):
        await server.stop(Card())
    await server.kill()
    await asyncio.gather(starting, return_exceptions=True)


async def test_a_cancelled_stop_leaves_it_running_and_wanted(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    with pytest.raises(Cancelled):
        await server.stop(Card(cancel_at=Step.STOPPING))
    assert (await server.status()).state == "running"
    assert inside(server).memory.facts.wanted == "running"


async def test_a_restart_broken_off_in_the_middle_brings_it_up_again(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    with pytest.raises(Cancelled):
        await server.restart(Card(cancel_at=Step.STARTING))
    await until_state(server, "running", 5)


async def test_a_restart_of_what_just_crashed_is_one_start(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    send(identity_of(game_of(scripted, server), "game"), signal.SIGKILL)
    await inside(server).process.gone(5)
    await server.restart(Card())
    game = inside(server).process.game
    await asyncio.sleep(0.5)
    assert inside(server).process.game == game
    assert (await server.status()).state == "running"


async def test_a_process_that_lost_its_parent_ends_with_the_game(scripted: Host) -> None:
    orphan = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork(): os._exit(0)\n    time.sleep(60)\n"
    server = await made(scripted, orphan + "os.wait()\n" + READY + WAIT)
    await server.start(Card())
    below = inside(server).process.members()
    assert len(below) == 2
    await server.kill()
    assert all([await gone(one, 2) for one in below])


# -------------------------------------------------------------------------------------------------------- crashes


async def test_a_crash_is_answered_with_another_start(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    first = identity_of(game_of(scripted, server), "game")
    send(first, signal.SIGSEGV)
    report = await until_state(server, "crashed", 5)
    assert "ended by SIGSEGV" in report.note
    assert "next start in" in report.note
    report = await until_state(server, "running", 5)
    assert report.crashes == 1
    assert identity_of(game_of(scripted, server), "game") != first


async def test_a_game_that_always_crashes_is_given_up(scripted: Host) -> None:
    server = await made(scripted, READY + "import sys, time\ntime.sleep(0.2)\nsys.exit(1)\n")
    await server.start(Card())
    async with asyncio.timeout(15):
        while "given up" not in (report := await server.status()).note:
            await asyncio.sleep(0.1)
    assert (report.state, report.crashes) == ("crashed", 4)
    await asyncio.sleep(0.7)
    assert (await server.status()).crashes == 4
    write_game(scripted, READY + WAIT)
    await server.start(Card())  # by hand it begins anew
    assert (await server.status()).crashes == 0


@pytest.mark.parametrize(("policy", "state"), [("on_crash", "stopped"), ("never", "stopped"), ("always", "running")])
async def test_an_admin_who_ends_it_in_the_game_is_not_fought(scripted: Host, policy: str, state: str) -> None:
    server = await made(scripted, READY + "import sys\nsys.stdin.readline()\nsys.exit(0)\n", restart_policy=policy)
    await server.start(Card())
    first = inside(server).process.game
    inside(server).process.write("shutdown")
    await inside(server).process.gone(5)
    if policy == "always":
        await until_state(server, "crashed", 5)
    report = await until_state(server, state, 5)
    await asyncio.sleep(0.3)
    assert (inside(server).process.game != first) is (policy == "always")
    if policy != "always":
        assert "stopped in the game or on its console" in report.note


@pytest.mark.parametrize("wish", [{"held": True}, {"desired_state": "stopped"}, {"restart_policy": "never"}])
async def test_a_server_that_is_to_be_left_alone_stays_down(scripted: Host, wish: dict[str, object]) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    server.update(scripted.spec("scripted", **wish))
    send(identity_of(game_of(scripted, server), "game"), signal.SIGKILL)
    await inside(server).process.gone(5)
    await asyncio.sleep(0.7)
    report = await server.status()
    assert report.state == ("stopped" if "desired_state" in wish else "crashed")
    assert not inside(server).process.alive
    if "held" in wish:
        assert "held" in report.note
        server.update(scripted.spec("scripted"))
        await until_state(server, "running", 5)


async def test_a_stop_cancels_the_start_that_a_crash_has_earned(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    send(identity_of(game_of(scripted, server), "game"), signal.SIGKILL)
    await until_state(server, "crashed", 5)
    assert await server.stop(Card()) == "It was not running; it is not started again now."
    await asyncio.sleep(0.5)
    assert (await server.status()).state == "stopped"


# --------------------------------------------------------------------------------------------- the agent's restarts


async def test_a_new_agent_finds_what_the_old_one_left(scripted: Host) -> None:
    spec = scripted.spec("scripted")
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    game = inside(server).process.game
    await scripted.leave()
    server = await scripted.server(spec)
    report = await server.status()
    assert (report.state, inside(server).process.game) == ("running", game)
    send(identity_of(game_of(scripted, server), "keeper"), signal.SIGKILL)
    async with asyncio.timeout(5):
        while not inside(server).process.kept:
            await asyncio.sleep(0.05)
    assert inside(server).process.game == game


async def test_what_crashed_while_no_agent_lived_is_started_again(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    await scripted.leave()
    send(identity_of(game_of(scripted, server), "game"), signal.SIGKILL)
    assert await inside(server).process.gone(5)
    server = await scripted.server(server.spec)
    report = await until_state(server, "running", 5)
    assert report.crashes == 1


async def test_a_damaged_memory_costs_the_wishes_and_not_the_game(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    game = inside(server).process.game
    await scripted.leave()
    (game_of(scripted, server).parent / "memory.json").write_text("{")
    server = await scripted.server(server.spec)
    report = await until_state(server, "running", 5)
    assert "damaged" in report.note
    assert inside(server).process.game == game
    with pytest.raises(TaskFailed, match="runs already"):
        await server.start(Card())
    await server.stop(Card())


async def test_what_a_person_stopped_stays_stopped_over_an_agents_restart(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    await server.stop(Card())
    await scripted.leave()
    server = await scripted.server(server.spec)
    await asyncio.sleep(0.5)
    assert (await server.status()).state == "stopped"


async def test_after_a_reboot_what_was_wanted_runs_again(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    await scripted.leave()
    keeper = game_of(scripted, server)
    game = identity_of(keeper, "game")
    send(game, signal.SIGKILL)
    await asyncio.sleep(0.3)
    innocent = subprocess.Popen([sys.executable, "-c", WAIT])
    try:
        _pretend_reboot(keeper, innocent.pid)
        server = await scripted.server(server.spec)
        report = await until_state(server, "running", 5)
        assert report.crashes == 1
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def _pretend_reboot(keeper: Path, pid: int) -> None:
    """The record of an earlier boot, whose process id and start time somebody else has now. No exit record."""
    stranger = identify(pid)
    assert stranger is not None
    state = json.loads((keeper / "state.json").read_text())
    state["game"] = [pid, stranger.ticks, "an earlier boot"]
    (keeper / "state.json").write_text(json.dumps(state))
    (keeper / "exit.json").unlink(missing_ok=True)
    memory = keeper.parent / "memory.json"
    facts = json.loads(memory.read_text())
    memory.write_text(json.dumps({**facts, "game": state["game"]}))


AGENT = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from agent.config import AgentConfig
from agent.runtime.server import GameServer
from agent.wire import ServerSpec, Step
from games.catalog import GameTemplate, load_catalog

async def report(step, message):
    print(step.value, flush=True)
    if step.value == {stall!r}:
        await asyncio.sleep(60)

async def main():
    config = AgentConfig.model_validate_json({config!r})
    server = GameServer(ServerSpec.model_validate_json({spec!r}), config, load_catalog(Path({games!r})))
    await server.adopt()
    await server.{verb}(report)

asyncio.run(main())
"""


@pytest.mark.parametrize("stall", [Step.STARTING, Step.WAITING_READY])
async def test_a_restart_survives_the_death_of_the_agent(scripted: Host, stall: Step) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    first = inside(server).process.game
    await scripted.leave()
    _die_at(scripted.config, server, "restart", stall)
    server = await scripted.server(server.spec)
    await until_state(server, "running", 5)
    assert inside(server).process.game != first
    assert inside(server).memory.facts.doing == ""


def _die_at(config: AgentConfig, server: GameServer, verb: str, stall: Step) -> None:
    text = AGENT.format(
        root=str(Path(__file__).parents[3]),
        games=str(Path(__file__).parent / "games"),
        config=config.model_dump_json(),
        spec=server.spec.model_dump_json(),
        verb=verb,
        stall=stall.value,
    )
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        told = iter(agent.stdout.readline, "")
        assert any(line.strip() == stall.value for line in told)
        agent.kill()
