"""Countdowns the whole way: typed in Discord, said by a real agent in a real game, and read in the game's own log."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.agent.harness import HostMachine, free_port
from tests.e2e.community import Community, filled, said, shown_to
from tests.faults.game import Game
from tests.games import teeworlds_server

COUNTDOWN = [f"Restart in {left}: new rules; quit" for left in ("15 minutes", "10 minutes", "5 minutes", "1 minute")]
SAID = re.compile(r"(?:\[chat\]: \*\*\* |Chat \(from '-non-player-', .*?\): )(.*)")
"""Both games' own words for it."""
NEARLY = "14 minutes 57 seconds"
"""So much of a quarter of an hour is left out."""


@dataclass
class Played:
    """A server that was added in Discord and runs on a machine with an agent of its own."""

    community: Community
    machine: HostMachine
    id: str
    log: Callable[[], str]

    def said(self) -> list[str]:
        """What the game has logged as said by itself, not as asked to say."""
        return [found[1] for line in self.log().splitlines() if (found := SAID.search(line))]

    async def hurry(self) -> None:
        """What was to happen in a quarter of an hour happens in three seconds."""
        async with self.community.app.db.statement() as session:
            await session.execute(
                text(f"""with moved as (
                    update jobs set not_before = not_before - interval '{NEARLY}'
                     where status in ('held', 'queued') and not_before > now() + interval '5 seconds' returning id)
                  update power_plans set due_at = due_at - interval '{NEARLY}' where exists (select 1 from moved)""")
            )

    async def done(self, job_type: str) -> bool:
        rows = await self.community.rows("select status from jobs where type = :type", type=job_type)
        return [row.status for row in rows] == ["success"]


async def added(community: Community, machine: HostMachine, game: str, **values: str) -> str:
    """Pairs the machine, adds a server and starts it, as people do it; its id."""
    await community.set_up()
    machine.configure(templates=f'["{game}"]')
    shown = await community.owner.slash(community.general, "host add", name="basement")
    token = said(shown).split("gamekeeper-agent pair ")[1].split()[1]
    code, output = await machine.command("pair", machine.url, token, "--config", str(machine.config))
    assert code == 0, output
    await machine.start()
    ((host,),) = await community.rows("select id::text from hosts")
    form = await community.owner.slash(community.general, "fleet add", host=host, game=game, name="Arena")
    await community.owner.submit_modal(form, filled(form, **values))
    ((server,),) = await community.rows("select id::text from server_instances")
    return server


@pytest.fixture(params=["teeworlds", "7dtd"])
async def played(request: pytest.FixtureRequest, community: Community, tmp_path: Path) -> AsyncIterator[Played]:
    game: str = request.param
    if game == "teeworlds" and not teeworlds_server.installed():
        pytest.skip(teeworlds_server.MISSING)
    machine = HostMachine(tmp_path / "host", f"http://127.0.0.1:{community.app.port}")
    machine.place.mkdir()
    console = {"teeworlds": "var.econ_port", "7dtd": "var.telnet_port"}[game]
    try:
        server = await added(community, machine, game, **{"var.port": str(free_port()), console: str(free_port())})
        directory = machine.servers / "arena"
        place = Played(community, machine, server, lambda: "")
        await community.eventually(lambda: place.done("SERVER_CREATE"))
        if game == "7dtd":
            place.log = Game(directory).log
        else:
            place.log = (machine.state / "instances" / server / "keeper" / "log").read_text
        await community.owner.slash(community.general, "server start", server=server)
        await community.eventually(lambda: place.done("SERVER_START"))
        yield place
    finally:
        await machine.clean_up()


async def test_the_game_itself_logs_countdowns_and_changes_of_mind(community: Community, played: Played) -> None:
    asked = await community.mod.slash(community.general, "server stop", server=played.id, when="in 15 minutes")
    await community.mod.click(shown_to(asked), label="Stop Arena")
    await community.eventually(lambda: played.said() == ["Shutdown in 15 minutes"])
    await community.mod.slash(community.general, "server postpone", server=played.id, duration="5m")
    await community.eventually(lambda: played.said()[1:] == ["Shutdown postponed. Shutdown in 20 minutes"])
    await community.mod.slash(community.general, "server cancel", server=played.id)
    await community.eventually(lambda: played.said()[2:] == ["Shutdown cancelled"])
    asked = await community.mod.slash(
        community.general, "server restart", server=played.id, when="in 15 minutes", reason="new rules; quit"
    )
    await community.mod.click(shown_to(asked), label="Restart Arena")
    await community.eventually(lambda: played.said()[3:] == COUNTDOWN[:1])
    await played.hurry()
    await community.eventually(lambda: played.done("SERVER_RESTART"), 30)
    assert played.said()[3:] == COUNTDOWN
    await community.message_with("**done** · by mia")
    plans = await community.rows("select action, status from power_plans order by created_at")
    assert plans == [("stop", "cancelled"), ("restart", "done")]
