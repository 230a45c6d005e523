"""Records of games' logs: every line that a game writes reaches the bot once."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from agent import wire
from bot.demo.teeworlds_player import TeeworldsBot
from bot.domain.streams import Cursor
from tests.agent.control_plane import ControlPlane
from tests.agent.faults import lost, status
from tests.agent.harness import HostMachine, free_port
from tests.games.teeworlds_server import MISSING, installed

teeworlds = pytest.mark.skipif(not installed(), reason=MISSING)


class Arena:
    """A Teeworlds of a running agent, and a player in it who talks."""

    def __init__(self, host: HostMachine, plane: ControlPlane, spec: wire.ServerSpec, player: TeeworldsBot) -> None:
        self.host, self.plane, self.spec, self.player = host, plane, spec, player
        self._numbers = itertools.count(1)
        self.said: list[str] = []

    async def talk(self, lines: int) -> None:
        for _ in range(lines):
            self.said.append(f"line {next(self._numbers)} of alice")
            self.player.say(self.said[-1])
            await asyncio.sleep(0.05)

    @property
    def heard(self) -> list[str]:
        """What the bot has of it."""
        chat = "[chat]: 1:0:alice: "
        return [one.message.removeprefix(chat) for one in self.plane.records if one.message.startswith(chat)]

    async def until_heard(self) -> None:
        await self.host.until(lambda: len(self.heard) >= len(self.said), what="every line to be heard")
        assert self.heard == self.said


@pytest.fixture
async def arena(host: HostMachine, plane: ControlPlane) -> AsyncIterator[Arena]:
    host.own_process = True
    ports = {"port": str(free_port()), "econ_port": str(free_port())}
    spec = plane.add_server("arena", "teeworlds", vars=ports)
    await host.start()
    quick = wire.ConsoleCommand(command="sv_spamprotection 0")
    for params in (wire.ServerCreate(), wire.ServerStart(), quick):
        await plane.enqueue(params, spec).success()
    player = await TeeworldsBot.join("127.0.0.1", int(ports["port"]), "alice")
    yield Arena(host, plane, spec, player)
    await player.leave()


@teeworlds
async def test_what_a_player_types_arrives_once_and_no_secret(arena: Arena, plane: ControlPlane) -> None:
    await arena.talk(5)
    await arena.until_heard()
    everything = "\n".join(one.message for one in plane.records)
    assert "[server]: server name is" in everything, "it begins with the start of the game"
    assert f"127.0.0.1:{arena.spec.vars['econ_port']}" not in everything
    assert "[econ]: bound to •••" in everything
    assert {one.level for one in plane.records} == {"info"}
    assert [one.ts for one in plane.records] == sorted(one.ts for one in plane.records)
    assert [batch.seq for batch in plane.batches] == list(range(1, len(plane.batches) + 1))


@teeworlds
async def test_what_heartbeats_leave_in_the_log_stays_there(
    arena: Arena, host: HostMachine, plane: ControlPlane
) -> None:
    """As many as a minute has. What players and staff do is all there."""
    before = len(plane.heartbeats)
    plane.interval = 1
    await plane.enqueue(wire.ConsoleCommand(command="say hello"), arena.spec).success()
    await host.until(lambda: len(plane.heartbeats) >= before + 5, what="a minute's heartbeats")
    assert plane.heartbeats[-1].servers[0].players, "they did ask who is on"
    await arena.talk(1)
    await arena.until_heard()
    log = next(host.state.glob("instances/*/keeper/log")).read_text()
    asked = [r"cmd='status'", r"cmd='zz[0-9a-f]", r"No such command: zz", r": id=\d+ addr="]
    found = {text: len(re.findall(text, log)) for text in asked}
    assert min(found.values()) >= 4, found
    everything = "\n".join(one.message for one in plane.records)
    assert not [text for text in asked if re.search(text, everything)], everything
    assert "cmd='say hello'" in everything and "player has entered the game" in everything


@teeworlds
async def test_an_agent_that_is_killed_again_and_again(arena: Arena, host: HostMachine, plane: ControlPlane) -> None:
    """It dies before it has read, sent, or heard the answer: nothing is lost, nothing comes twice."""
    talking = asyncio.create_task(arena.talk(60))
    for pause in (0.2, 0.55, 0.9):
        await asyncio.sleep(pause)
        await host.kill()
        plane.faults["records"].append(lost())
        await host.start()
    await talking
    await arena.until_heard()
    assert len({batch.generation for batch in plane.batches}) == 1


@teeworlds
async def test_a_bot_that_goes_away_comes_back_with_less_and_is_busy(arena: Arena, plane: ControlPlane) -> None:
    await arena.talk(3)
    await arena.until_heard()
    plane.always["records"] = status(503)
    await arena.talk(3)
    plane.faults["records"].extend([lost(), status(429, retry_after=0.1), status(500)])
    del plane.always["records"]
    await arena.talk(3)
    await arena.until_heard()
    cursor = plane.cursors[arena.spec.id]
    plane.cursors[arena.spec.id] = Cursor(cursor.generation, cursor.last_seq - 1)  # restored from a backup
    await arena.talk(3)
    await arena.until_heard()


@teeworlds
async def test_a_batch_that_the_bot_chokes_on_keeps_nothing_back(arena: Arena, plane: ControlPlane) -> None:
    refused: list[bytes] = []

    async def choking(request: web.Request, handle: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        body = await request.read()
        if b"chokes" not in body:
            return await handle()
        refused.append(body)
        return web.json_response(wire.Problem(error="No.").dump(), status=422)

    plane.always["records"] = choking
    arena.player.say("the bot chokes on this one")
    await arena.host.until(lambda: refused != [])
    await arena.talk(2)
    await arena.until_heard()
    assert len(refused) == 1


@pytest.mark.parametrize("expected", [7, -3])
async def test_a_bot_that_always_expects_another_batch(
    counter: wire.ServerSpec, host: HostMachine, plane: ControlPlane, expected: int
) -> None:
    """It is asked ever less often, and what it said does no lasting harm."""
    calls: list[int] = []

    async def confused(_: web.Request, __: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        calls.append(1)
        return web.json_response({"expected": expected}, status=409)

    plane.always["records"] = confused
    await plane.enqueue(wire.ServerStart(), counter).success()
    await host.until(lambda: len(calls) > 1)
    await asyncio.sleep(1)
    assert len(calls) < 6
    del plane.always["records"]
    await host.until(lambda: plane.records != [])
    assert plane.batches[-1].seq == 1


async def test_a_server_that_is_no_longer_ours(
    counter: wire.ServerSpec, host: HostMachine, plane: ControlPlane
) -> None:
    """What was not sent of it is given up when the bot says that there is no such server."""
    plane.always["records"] = status(503)
    await plane.enqueue(wire.ServerStart(), counter).success()
    spool = host.state / "records" / str(counter.id)
    await host.until(lambda: list(spool.glob("*.batch")) != [])
    await plane.enqueue(wire.ServerRemove(), counter).success()
    plane.remove_server(counter)
    del plane.always["records"]
    await host.until(lambda: not spool.exists())
