"""The whole: a guild, two replicas on one database, a balancer before them, four hosts with their agents, servers."""

import asyncio
import random
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from agent import wire
from agent.host import game_report
from agent.http import Http
from bot.domain.access import Grants
from bot.domain.actors import Actor, Invocation
from bot.errors import Unavailable
from bot.services import leases
from bot.services.fleet import Fleet
from db.engine import Database
from games.catalog import load_template
from tests.faults.chaos.balancer import Balancer
from tests.faults.chaos.plan import Plan
from tests.faults.chaos.processes import Agent, Replica
from tests.faults.chaos.template import GAME, free_ports, write_template
from tests.wire.discord_server import DiscordServer
from tests.wire.guild import Channel, Guild
from tests.wire.waiting import eventually

LEASE: Final = leases.SECONDS
"""Seconds that a lease of a replica holds: the real ones."""
_START: Final = 120.0
"""Seconds; on a machine that does other things beside."""
_PAIR: Final = re.compile(r"gamekeeper-agent pair \S+ (\S+)")
_CHANNELS: Final = tuple(Channel(800 + number, f"jobs-{number}") for number in range(60))


class LargeGuild(Guild):
    """With so many channels that what Discord allows in each holds up nothing."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        return *super().channels, *_CHANNELS


@dataclass(frozen=True)
class Server:
    """A server and where its game writes its ledger."""

    id: UUID
    host_id: UUID
    name: str
    ledger: Path


class Realm:
    """Where it all happens, and what its people do."""

    def __init__(self, place: Path, discord: DiscordServer, database_url: str, plan: Plan) -> None:
        self.place, self.discord, self.plan = place, discord, plan
        self.replicas = [
            Replica(place, discord, database_url, name, lease=LEASE, run_lease=plan.run_lease)
            for name in ("first", "second")
        ]
        self.balancer = Balancer([replica.port for replica in self.replicas])
        self.agents: list[Agent] = []
        self.servers: list[Server] = []
        self.db = Database(database_url, role="tests", pool_size=6)
        self._org = UUID(int=0)
        self._interactions = 0

    async def found(self) -> "Realm":
        """From nothing to servers that can be started."""
        await asyncio.gather(*(replica.spawn() for replica in self.replicas))
        await self.replicas[0].until(lambda: bool(self.discord.gateway.connected and self.discord.commands), _START)
        await self.balancer.start()
        await eventually(lambda: all(self.balancer.ready(replica.port) for replica in self.replicas), _START)
        for number in range(self.plan.hosts):
            await self._pair(f"host-{number}")
        ((self._org,),) = await self.rows("select id from orgs")
        await self._settle()
        await asyncio.gather(*(agent.spawn() for agent in self.agents))
        return self

    async def _pair(self, name: str) -> None:
        agent = Agent(self.place, name, self.balancer.url)
        count = self.plan.servers // self.plan.hosts
        template = write_template(self.place / f"{name}-templates", free_ports(count))
        agent.configure(templates=f'["{GAME}"]', template_dirs=f'["{template.parent}"]')
        guild = self.discord.guild
        shown = await (await self.discord.slash(guild.owner, guild.ops, "host add", name=name)).answer()
        found = _PAIR.search(shown.text)
        assert found, shown.text
        async with Http(self.balancer.url) as http:
            games = [game_report(load_template(template))]
            request = wire.PairRequest(token=found[1], hostname=name, agent_version="1", games=games)
            answer = await http.call("POST", "pair", wire.PairAnswer, request)
        agent.give_identity(answer.host_id, answer.agent_key)
        self.agents.append(agent)

    async def _settle(self) -> None:
        """Makes the servers, as `/fleet add` does; their hosts set them up while they are struck already."""
        fleet = Fleet(self.db)
        for number in range(self.plan.servers):
            host = f"host-{number % self.plan.hosts}"
            await self._added(fleet, host, f"S{number}")
        rows = await self.rows("select id, host_id, name, slug from server_instances order by created_at, name")
        places = {agent.identity.host_id: agent.servers for agent in self.agents}
        self.servers = [Server(row[0], row[1], row[2], places[row[1]] / row[3] / "ledger") for row in rows]

    async def _added(self, fleet: Fleet, host: str, name: str) -> None:
        """On a machine that does other things beside, the database may be too busy for a moment."""

        async def add() -> bool:
            try:
                await fleet.add(self.person(), host, GAME, name, {})
            except Unavailable:
                return False
            return True

        await eventually(add, _START, lambda: f"{name} to be added")

    # ------------------------------------------------------------------------------------------------- its people

    def person(self, chance: random.Random | None = None) -> Actor:
        """Somebody who may do everything, in an interaction of their own, in one of the channels."""
        self._interactions += 1
        channel = (chance or random).choice(_CHANNELS)
        return Actor(
            type="user",
            name="olga",
            org_id=self._org,
            guild_id=self.discord.guild.id,
            channel_id=channel.id,
            grants=Grants(break_glass=True),
            invocation=Invocation(id=self._interactions, command="chaos"),
        )

    async def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """What the database says now."""
        async with self.db.engine.begin() as connection:
            result = await connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    @property
    def unheard(self) -> list[str]:
        """Runs of which the agents have something to tell, or that they are at."""
        return [f"{agent.name}: {run}" for agent in self.agents for run in agent.untold]

    def look(self) -> dict[str, float]:
        """Notes which replicas are ready; how long each has waited for a processor."""
        standing = [replica for replica in self.replicas if replica.process is not None]
        for replica in standing:
            replica.look(self.balancer)
        return {replica.life.periods[-1].holder: replica.waited for replica in standing}

    async def clean_up(self) -> None:
        await asyncio.gather(*(victim.clean_up() for victim in (*self.agents, *self.replicas)))
        await self.balancer.stop()
        await self.db.close()


@asynccontextmanager
async def founded(place: Path, discord: DiscordServer, database_url: str, plan: Plan) -> AsyncGenerator[Realm]:
    """A realm; at the end nothing of it runs on."""
    realm = Realm(place, discord, database_url, plan)
    try:
        yield await realm.found()
    except BaseException:
        for victim in (*realm.replicas, *realm.agents):
            print(f"---- the end of {victim.log_file.name}\n{victim.log()[-4000:]}")
        raise
    finally:
        await realm.clean_up()
