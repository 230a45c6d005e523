"""Discord, agents and ticks in three processes on one database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bot.workers.sweeps import DUTIES
from tests.agent.harness import free_port
from tests.faults.town import Town
from tests.wire.bot import BotProcess
from tests.wire.discord_server import DiscordServer

_LED = "select l.duty, l.holder from leases l where l.expires_at > now() and l.duty not like 'role:%'"
_ROLES = "select split_part(duty, ':', 2), holder from leases where expires_at > now() and duty like 'role:%'"


class Split:
    """A town whose bot is three processes."""

    def __init__(self, town: Town, place: Path, discord: DiscordServer) -> None:
        self.town, self.http = town, town.bot
        self.http.roles = "http"

        def another(roles: str) -> BotProcess:
            url = town.database_url
            made = BotProcess(place, discord, url, port=free_port(), name=roles, roles=roles, public_url=self.http.url)
            town.bots.append(made)
            return made

        self.discord, self.workers = another("bot"), another("workers")

    @property
    def all(self) -> dict[str, BotProcess]:
        return {"bot": self.discord, "http": self.http, "workers": self.workers}

    async def found(self) -> None:
        await self.http.start(connects=False)
        await asyncio.gather(self.discord.start(), self.workers.start(connects=False))
        await self.town.pair()
        await self.town.add("Navezgane")
        await self.town.succeeds(await self.town.command("server start", server=self.town.server))

    async def holders(self) -> dict[str, str]:
        """Each role's process."""
        return dict(await self.town.rows(_ROLES))


@pytest.fixture
async def split(discord: DiscordServer, database_url: str, tmp_path: Path) -> AsyncIterator[Split]:
    town = Town(tmp_path, discord, database_url)
    made = Split(town, tmp_path, discord)
    try:
        await made.found()
        yield made
    finally:
        await town.tell()
        await town.clean_up()


async def test_each_process_does_its_part_and_no_more(split: Split) -> None:
    town, holders = split.town, await split.holders()
    assert holders.keys() == split.all.keys() and len(set(holders.values())) == 3
    led = dict(await town.rows(_LED))
    assert led.pop("shard:0") == holders["bot"]
    assert led == dict.fromkeys(DUTIES, holders["workers"])
    async with aiohttp.ClientSession() as web:
        for role, process in split.all.items():
            for path in ("/healthz", "/readyz"):
                async with web.get(process.url + path) as answer:
                    assert answer.status == 200, (role, path)
            async with web.post(f"{process.url}/agent/v1/jobs/claim") as answer:
                assert answer.status == (401 if role == "http" else 503), role
    shown = await (await town.command("host add", name="attic")).answer()
    assert f"gamekeeper-agent pair {split.http.url} " in shown.text, "the process that answers serves no agents"
    await split.workers.kill()
    await town.ended(await town.announce("nobody watches"), "done")  # commands and jobs need no ticks
    await split.workers.start(connects=False)
    assert await split.http.terminate() == 0
    await split.http.start(connects=False)
    await town.ended(await town.announce("back again"), "done")
    await town.whole()
