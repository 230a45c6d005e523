"""A moderator who is denied one of two servers, as they meet it in Discord."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import discord
import pytest

from agent import wire
from bot.demo import reading
from tests.e2e.community import Community, Host, said, shown_to
from tests.e2e.servers import add_server, online

REASON = "An exception takes it from you on this server."


@dataclass
class Pair:
    """EU #1, and US #1 from which a permission is taken. On each somebody plays, and a restart has failed."""

    community: Community
    eu: str
    us: str

    async def deny(self, *permissions: str) -> None:
        for permission in permissions:
            await self.community.owner.slash(
                self.community.general, "access deny", member=self.community.mod, permission=permission, server=self.us
            )
        await self.community.app.work_db.catch_up()

    async def type(self, command: str, **options: Any) -> str:
        """What the moderator is answered."""
        return said(await self.community.mod.slash(self.community.general, command, **options))

    async def offered(self, command: str, option: str) -> list[str]:
        choices = await self.community.mod.autocomplete(self.community.general, command, option, "")
        return sorted(choice["name"].split(" · ")[0] for choice in choices)

    async def buttons(self, command: str, **options: Any) -> list[str]:
        return reading.buttons(shown_to(await self.community.mod.slash(self.community.general, command, **options)))

    def retry(self) -> discord.Message | None:
        """The message in #ops whose button does the restart over there again."""
        cards = [one for one in self.community.ops.history() if "US #1" in reading.text(one)]
        return next((one for one in cards if "Retry" in reading.buttons(one)), None)

    async def last(self) -> tuple[str, str]:
        return (await self.community.audit())[-1]


@pytest.fixture
async def pair(community: Community, host: Host) -> Pair:
    await community.set_up()
    eu, us = await add_server(community, host), await add_server(community, host, "US #1")
    players = {eu: online("ann", "127.0.0.5"), us: online("bob", "127.0.0.6")}
    await host.beat(
        *[
            wire.ServerReport(id=UUID(server), state="running", reachable=True, players=[player], max_players=8)
            for server, player in players.items()
        ]
    )
    for server, name in ((eu, "EU #1"), (us, "US #1")):
        asked = await community.owner.slash(community.general, "server restart", server=server)
        await community.owner.click(shown_to(asked), label=f"Restart {name}")
        (job,) = await host.claim()
        await host.progress(job, wire.Step.STARTED)
        await host.result(job, "failed")
    return Pair(community, eu, us)


async def test_a_server_that_one_may_not_see_is_not_there(pair: Pair) -> None:
    assert await pair.offered("server show", "server") == ["EU #1", "US #1"]
    assert "bob" in await pair.type("players") and "US #1" in await pair.type("status")
    await pair.deny("servers.view")
    for command in ("server list", "status", "players", "job list"):
        answer = await pair.type(command)
        assert "EU" in answer and "US" not in answer and "bob" not in answer, command
    assert await pair.offered("server restart", "server") == ["EU #1"]
    assert await pair.offered("job show", "job") == ["J-1", "J-3"]
    players = await pair.community.mod.autocomplete(pair.community.general, "player kick", "player", "")
    assert sorted(choice["name"] for choice in players) == ["ann · online on EU #1", "bob"]
    for command, options in (
        ("server show", {"server": pair.us}),
        ("server show", {"server": "us #1"}),
        ("status", {"server": pair.us}),
        ("job show", {"job": "J-4"}),
        ("mod list", {"server": pair.us}),
    ):
        assert REASON in await pair.type(command, **options), command
        assert await pair.last() == (command.replace(" ", "."), "denied")


async def test_what_one_may_not_do_there_is_neither_offered_nor_done(pair: Pair) -> None:
    assert await pair.buttons("server show", server=pair.us) == ["Restart", "Stop", "Refresh"]
    assert await pair.buttons("job show", job="J-4") == ["Retry", "Server"]
    await pair.deny("servers.restart")
    assert await pair.buttons("server show", server=pair.us) == ["Stop", "Refresh"]
    assert await pair.buttons("server show", server=pair.eu) == ["Restart", "Stop", "Refresh"]
    assert await pair.buttons("job show", job="J-4") == ["Server"]
    assert await pair.buttons("job show", job="J-3") == ["Retry", "Server"]
    for command, options in (("server restart", {"server": pair.us}), ("job retry", {"job": "J-4"})):
        assert REASON in await pair.type(command, **options)
        assert await pair.last() == (command.replace(" ", "."), "denied")
    # others may, and all read the same message
    card = await pair.community.eventually(pair.retry)
    pressed = await pair.community.mod.click(card, label="Retry")
    assert REASON in said(pressed) and await pair.last() == ("job.retry", "denied")
    assert "J-5" in await pair.type("job retry", job="J-3")
