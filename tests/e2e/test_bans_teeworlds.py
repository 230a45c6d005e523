"""Bans the whole way: typed in Discord, done by a real agent on a real Teeworlds, felt by a player that comes back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.demo import reading
from bot.demo.teeworlds_player import JoinRefused, TeeworldsBot
from tests.agent.harness import HostMachine, free_port
from tests.e2e.community import Community, filled, said, shown_to
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)

EVE = "127.0.0.3"


class Arena:
    """A Teeworlds server that was added in Discord, on a machine with an agent of its own."""

    def __init__(self, community: Community, machine: HostMachine) -> None:
        self.community, self.machine = community, machine
        self.port = free_port()
        self.id = ""

    async def found(self) -> None:
        """Pairs, adds, starts; each as people do it."""
        await self.community.set_up()
        self.machine.configure(templates='["teeworlds"]')
        await self._pair()
        ((host,),) = await self.community.rows("select id::text from hosts")
        ports = {"var.port": str(self.port), "var.econ_port": str(free_port())}
        form = await self.community.owner.slash(
            self.community.general, "fleet add", host=host, game="teeworlds", name="Arena"
        )
        await self.community.owner.submit_modal(form, filled(form, **ports))
        ((self.id,),) = await self.community.rows("select id::text from server_instances")
        await self.community.message_with("Create · Arena")
        await self.community.eventually(lambda: self.ended("SERVER_CREATE"))
        await self.community.owner.slash(self.community.general, "server start", server=self.id)
        await self.community.eventually(lambda: self.ended("SERVER_START"))

    async def _pair(self) -> None:
        shown = await self.community.owner.slash(self.community.general, "host add", name="basement")
        token = said(shown).split("gamekeeper-agent pair ")[1].split()[1]
        code, output = await self.machine.command("pair", self.machine.url, token, "--config", str(self.machine.config))
        assert code == 0, output
        await self.machine.start()

    async def ended(self, job_type: str, count: int = 1) -> bool:
        """Whether so many jobs of a type have succeeded; one that failed ends the test."""
        rows = await self.community.rows("select status from jobs where type = :type", type=job_type)
        assert all(row.status not in ("failed", "cancelled", "expired") for row in rows), rows
        return [row.status for row in rows].count("success") >= count

    async def join(self, name: str, source: str) -> TeeworldsBot:
        return await TeeworldsBot.join("127.0.0.1", self.port, name, source)

    async def let_in(self, source: str) -> bool:
        """Whether somebody from there can play."""
        try:
            bot = await TeeworldsBot.join("127.0.0.1", self.port, "whoever", source, timeout=1)
        except JoinRefused:
            return False
        await bot.leave()
        return True

    @asynccontextmanager
    async def online(self, name: str, source: str) -> AsyncIterator[TeeworldsBot]:
        bot = await self.join(name, source)
        try:
            yield bot
        finally:
            await bot.leave()

    async def offered(self, name: str) -> str:
        """The player as `/ban add` offers them, once a heartbeat has told of them."""

        async def choice() -> str | None:
            choices = await self.community.mod.autocomplete(self.community.general, "ban add", "player", name)
            return next((str(one["value"]) for one in choices), None)

        await self.community.mod.slash(self.community.ops, "announce", text="hello", server=self.id)  # hurries it
        return await self.community.eventually(choice, 20)

    async def ban(self, player: str, **options: str) -> None:
        asked = await self.community.mod.slash(
            self.community.ops, "ban add", player=player, reason="griefing", **options
        )
        await self.community.mod.click(shown_to(asked), label="Ban on 1 server")

    def told(self, words: str) -> int:
        """How often the game has said this."""
        log = self.machine.state / "instances" / self.id / "keeper" / "log"
        return log.read_text(errors="replace").count(words)


@pytest.fixture
async def arena(community: Community, tmp_path: Path) -> AsyncIterator[Arena]:
    machine = HostMachine(tmp_path / "host", f"http://127.0.0.1:{community.app.port}")
    machine.place.mkdir()
    machine.own_process = True
    arena = Arena(community, machine)
    try:
        await arena.found()
        yield arena
    finally:
        await machine.clean_up()


async def test_from_the_command_to_the_closed_door_and_open_again(community: Community, arena: Arena) -> None:
    async with arena.online("eve", EVE) as eve, arena.online("alice", "127.0.0.2") as alice:
        await arena.ban(await arena.offered("eve"), duration="2h")
        assert await eve.disconnected() == "You have been banned for 120 minutes (B-1: griefing)"
        assert alice.online
        await community.message_with("applied on Arena")
        assert not await arena.let_in(EVE)
    asked = await community.mod.slash(community.general, "server restart", server=arena.id)
    await community.mod.click(shown_to(asked), label="Restart Arena")
    await community.eventually(lambda: arena.ended("SERVER_RESTART"))
    await community.eventually(lambda: arena.told(f"banned '{EVE}' for 1") == 2)  # its list is in memory only
    assert not await arena.let_in(EVE)
    asked = await community.mod.slash(community.general, "ban lift", case="B-1", reason="apologised")
    await community.mod.click(shown_to(asked), label=reading.buttons(shown_to(asked))[0])
    await community.eventually(lambda: arena.told(f"unbanned '{EVE}'"))
    async with arena.online("eve", EVE) as eve:
        assert eve.online


async def test_an_agent_that_is_killed_does_it_when_it_is_back(community: Community, arena: Arena) -> None:
    async with arena.online("eve", EVE) as eve:
        await arena.machine.kill()
        await arena.ban(f"ip:{EVE}")
        await asyncio.sleep(0.5)
        assert eve.online
        await arena.machine.start()
        assert (await eve.disconnected(20)).startswith("You have been banned")
    await community.message_with("applied on Arena")
    assert arena.told(f"banned '{EVE}'") == 1


async def test_an_agent_that_is_killed_in_the_middle_does_no_harm(community: Community, arena: Arena) -> None:
    """The game stands still: the agent has begun, and waits for the console, when it dies."""
    async with arena.online("eve", EVE) as eve:
        game = arena.machine.game_pid(arena.id)
        os.kill(game, signal.SIGSTOP)
        await arena.ban(f"ip:{EVE}")
        await arena.machine.until(lambda: bool(arena.machine.spooled(".started")))
        await arena.machine.kill()
        os.kill(game, signal.SIGCONT)
        await arena.machine.start()
        await community.eventually(lambda: _a_minute_later(community))
        assert (await eve.disconnected(90)).startswith("You have been banned")
    await community.message_with("applied on Arena")
    assert arena.told(f"banned '{EVE}'") == 1


async def _a_minute_later(community: Community) -> bool:
    """The bot heard that nobody knows what was done, and asks again after its first pause, or at once where the agent
    tells of the game as of a new run; true once it has."""
    async with community.app.db.statement() as session:
        due = "update ban_entries set next_attempt_at = now() where sync_status = 'pending'"
        await session.execute(text(due))
    await community.tick("bans.reconcile")
    return not await community.rows("select 1 from ban_entries where sync_status <> 'synced'")


async def test_the_hosts_own_address_is_refused_in_a_sentence(community: Community, arena: Arena) -> None:
    await arena.ban("ip:127.0.0.1")
    await community.eventually(
        lambda: _shown(community, "127.0.0.1 is this host's own address: banned, it could not reach the game.")
    )
    assert not arena.told("[net_ban]: ban")


async def _shown(community: Community, words: str) -> bool:
    return words in said(await community.mod.slash(community.general, "ban show", case="B-1"))
