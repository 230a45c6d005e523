"""A new agent finds what the old one left, and finishes what it had begun."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.errors import TaskFailed
from agent.runtime.keeper import identify
from agent.runtime.server import GameServer
from agent.runtime.signals import send
from agent.wire import Step
from tests.agent.runtime.conftest import Card, Host, identity_of, inside, until_state
from tests.agent.runtime.script import READY, WAIT, game_of, made


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


async def test_a_damaged_record_of_the_game_is_said_and_starts_no_second_one(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    state = game_of(scripted, server) / "state.json"
    whole = state.read_bytes()
    state.write_bytes(b"\0\xff" + whole[2:])
    try:
        with pytest.raises(TaskFailed, match=r"state\.json is damaged"):
            await server.start(Card())
        with pytest.raises(TaskFailed, match=r"state\.json is damaged"):
            await server.kill()
    finally:
        state.write_bytes(whole)
    assert inside(server).process.alive


async def test_lost_settings_are_made_anew(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    await scripted.leave()
    (game_of(scripted, server).parent / "values.json").write_bytes(b"\xff[")
    server = await scripted.server(server.spec)
    await server.restart(Card())
    assert (await server.status()).state == "running"
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


async def test_a_clock_that_was_put_back_does_not_put_off_a_restart(scripted: Host) -> None:
    server = await made(scripted, READY + WAIT)
    await server.start(Card())
    await scripted.leave()
    await inside(server).process.kill()
    memory = game_of(scripted, server).parent / "memory.json"
    crashed = {"judged": True, "ready": False, "crashed": True, "streak": 1, "next_start": time.time() + 86400}
    memory.write_text(json.dumps(json.loads(memory.read_text()) | crashed))
    server = await scripted.server(server.spec)
    await until_state(server, "running", 5)


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
