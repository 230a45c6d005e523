"""Crashes and clean exits: what is started again, what is left alone."""

import asyncio
import signal

import pytest

from agent.runtime.signals import send
from tests.agent.runtime.conftest import Card, Host, identity_of, inside, until_state
from tests.agent.runtime.script import READY, WAIT, game_of, made, write_game


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
