"""Power actions, with a game that does what a test writes into its script."""

import asyncio
import signal

import pytest

from agent.errors import Cancelled, TaskFailed
from agent.runtime.signals import gone, is_alive, send
from agent.wire import Step
from games.catalog import GameTemplate
from tests.agent.runtime.conftest import Card, Host, identity_of, inside, until_state
from tests.agent.runtime.script import DEAF, READY, WAIT, game_of, made

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
