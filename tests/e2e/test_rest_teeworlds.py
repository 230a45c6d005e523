"""Holds and maintenance the whole way: an agent that leaves a killed game alone, a game that tells its players."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.demo import reading
from tests.agent.harness import HostMachine
from tests.e2e.community import Community, said, shown_to
from tests.e2e.test_bans_teeworlds import Arena
from tests.games.teeworlds_server import MISSING, installed

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)


class Watched(Arena):
    """Its host speaks every second, and its alerts are in #ops."""

    async def found(self) -> None:
        await self.write("update orgs set health_interval_sec = 5")
        await super().found()
        card = await self.community.owner.slash(self.community.general, "setup start")
        await self.community.owner.select(shown_to(card), [self.community.ops], custom_id="gk:setup.channel:alerts")

    async def write(self, statement: str) -> None:
        async with self.community.app.work_db.statement() as session:
            await session.execute(text(statement))

    def kill_game(self) -> None:
        state = json.loads((self.machine.state / "instances" / self.id / "keeper" / "state.json").read_text())
        os.kill(state["game"][0], signal.SIGKILL)

    async def is_(self, *states: str) -> None:
        async def seen() -> bool:
            ((status,),) = await self.community.rows("select status from server_instances")
            return status in states

        await self.community.eventually(seen, 25)

    async def knows(self, **facts: bool | str) -> None:
        """The agent has heard of this."""

        def heard() -> bool:
            (spec,) = json.loads((self.machine.state / "servers.json").read_text())["servers"]
            return all(spec[name] == value for name, value in facts.items())

        await self.community.eventually(heard, 25)

    async def incidents(self) -> list[str]:
        await self.community.tick("alerts.evaluate")
        return [row.title for row in await self.community.rows("select title from incidents order by number")]


@pytest.fixture
async def arena(community: Community, tmp_path: Path) -> AsyncIterator[Watched]:
    machine = HostMachine(tmp_path / "host", f"http://127.0.0.1:{community.app.port}")
    machine.place.mkdir()
    machine.own_process = True
    arena = Watched(community, machine)
    try:
        await arena.found()
        yield arena
    finally:
        await machine.clean_up()


async def test_a_real_game_is_held_and_in_maintenance(community: Community, arena: Watched) -> None:
    """One after the other, as a host takes its time to be set up."""
    await arena.is_("running")
    await players_hear_of_maintenance(community, arena)
    await what_is_held_stays_down(community, arena)
    await what_is_in_maintenance_is_silent(community, arena)


async def what_is_held_stays_down(community: Community, arena: Watched) -> None:
    await community.owner.slash(community.general, "server hold", server=arena.id, reason="new map")
    await community.message_with("Arena is held")
    await arena.knows(held=True)
    arena.kill_game()
    await arena.is_("crashed")
    await asyncio.sleep(3)  # it would be back after two seconds
    ((status, note),) = await community.rows("select status, observed ->> 'note' from server_instances")
    assert status == "crashed" and note.endswith("it is held, so it is not started again")
    assert await arena.incidents() == []
    for command in ("server start", "server restart"):
        refused = said(await community.mod.slash(community.general, command, server=arena.id))
        assert "Arena is held by olga for" in refused and "new map" in refused


async def what_is_in_maintenance_is_silent(community: Community, arena: Watched) -> None:
    await community.owner.slash(
        community.general, "maintenance start", target=f"server:{arena.id}", duration="1h", reason="new disk"
    )
    window = await community.message_with("Maintenance of Arena is under way")
    held = await community.message_with("Arena is held")
    assert "Release" in reading.buttons(held)
    assert "It was held by olga" in said(await community.mod.click(held, label="Release"))
    await community.message_with("Arena is not held any more")
    await arena.is_("running")

    await arena.write("update server_instances set restart_policy = 'never'")
    await arena.write("update hosts set servers_revision = servers_revision + 1")
    await arena.knows(restart_policy="never")
    arena.kill_game()
    await arena.is_("crashed")
    assert await arena.incidents() == []
    over = said(await community.owner.click(window, label="End now"))
    assert "Maintenance of Arena is over" in over
    assert await arena.incidents() == ["Arena is down"]
    await community.message_with("Arena is down")
    await community.message_with("Maintenance of Arena is over")


async def players_hear_of_maintenance(community: Community, arena: Watched) -> None:
    await community.owner.slash(
        community.general, "maintenance plan", target="everything", start="in 2h", duration="1h", reason="new disk"
    )
    await arena.write("update maintenance_windows set starts_at = now() + interval '5 minutes'")
    await community.tick("maintenance")
    await community.eventually(lambda: arena.told("Maintenance begins in 5 minutes and takes up to"))
    await arena.write("update maintenance_windows set starts_at = now() - interval '1 second'")
    await community.tick("maintenance")
    await community.eventually(lambda: arena.told("Maintenance begins now and takes up to"))
    await community.message_with("Maintenance of everything is under way")
    await arena.write("update maintenance_windows set ends_at = now()")
    await community.tick("maintenance")
    await community.eventually(lambda: arena.told("Maintenance is over."))
    await community.message_with("Maintenance of everything is over")
    assert not arena.told("new disk")
