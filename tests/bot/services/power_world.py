"""A guild with a server that players are on, and plans for it, on a clock that a test moves."""

from typing import Any, Self
from uuid import UUID

import pytest

from agent import wire
from bot import clock
from bot.domain.actors import Actor
from bot.services.agents import HostIdentity
from bot.services.confirmations import Confirmations, Done
from bot.services.holds import Holds
from bot.services.power import Power
from bot.services.power_due import PowerPlans
from tests.bot.services.schedules_world import Clock, at
from tests.bot.world import World, player, result

CAPABLE = ("start", "stop", "restart", "kill", "say", "console")


class PlanWorld:
    """People, a host and its server, and what they make of each other."""

    def __init__(self, world: World, moved: Clock) -> None:
        self.world, self.clock = world, moved
        self.power = Power(world.db, world.jobs)
        self.plans, self.holds = PowerPlans(world.db), Holds(world.db)
        actions = {f"server.{action}": self.power.confirmed for action in ("stop", "restart", "kill")}
        self.confirmations = Confirmations(world.db, actions)
        self.host: HostIdentity
        self.server: UUID
        self.ann: Actor

    async def found(self, monkeypatch: pytest.MonkeyPatch) -> Self:
        """At noon, with two players on the server."""
        monkeypatch.setattr(clock, "now", self.clock)
        self.host, _ = await self.world.pair()
        self.server = await self.world.server(self.host)
        await self.world.rows("update server_instances set desired_state = 'running'")
        await self.capable(*CAPABLE)
        await self.report(2)
        return self

    async def person(self, name: str = "Ann") -> Actor:
        """Somebody who may do everything, in an interaction of their own."""
        user = await self.world.value(
            """insert into users (discord_user_id, username) values (:id, :name)
               on conflict (discord_user_id) do update set username = excluded.username returning id""",
            id=sum(map(ord, name)),
            name=name,
        )
        admin = self.world.admin(name)
        return Actor(**{**vars(admin), "user_id": user})

    async def capable(self, *capabilities: str) -> None:
        games = f'[{{"id": "teeworlds", "capabilities": {list(capabilities)!r}}}]'.replace("'", '"')
        await self.world.rows("update hosts set games = cast(:games as jsonb)", games=games)

    async def report(self, players: int | None = 2, state: Any = "running", **values: Any) -> None:
        """A heartbeat; None: how many are on is not known."""
        online = None if players is None else [player(f"p{n}", ip=f"192.0.2.{n}") for n in range(players)]
        await self.world.beat(self.host, wire.ServerReport(id=self.server, state=state, players=online, **values))
        await self.capable(*CAPABLE)

    async def ask(self, when: str = "", action: Any = "restart", name: str = "Ann", reason: str = "") -> UUID:
        """The token of the question."""
        asked = await self.power.ask(await self.person(name), str(self.server), action, when_text=when, reason=reason)
        return asked.token

    async def press(self, token: UUID, name: str = "Ann", **more: Any) -> Done:
        return await self.confirmations.press(await self.person(name), token, **more)

    async def plan(self, when: str, action: Any = "restart", name: str = "Ann", reason: str = "") -> Done:
        return await self.press(await self.ask(when, action, name, reason), name)

    async def status(self) -> list[tuple[str, str | None]]:
        """Status and outcome of every plan, oldest first."""
        rows = await self.world.rows("select status, outcome from power_plans order by created_at, id")
        return [(row[0], row[1]) for row in rows]

    async def jobs(self) -> list[tuple[str, str]]:
        """What announcements say or what the job is, and its status, in order."""
        rows = await self.world.rows("select coalesce(payload ->> 'text', type), status from jobs order by number")
        return [(row[0], row[1]) for row in rows]

    async def live(self) -> list[str]:
        return [what for what, status in await self.jobs() if status in ("held", "queued", "running")]

    async def do(self, outcome: Any = "success") -> list[str]:
        """The host does what it is given now; what that was."""
        done: list[str] = []
        for job in await self.world.claim(self.host):
            done.append(getattr(job.params, "text", job.params.type))
            await self.world.queue.progress(
                self.host, job.run_id, wire.Progress(claim_token=job.claim_token, phase=wire.Step.STARTED)
            )
            await self.world.queue.finish(self.host, job.run_id, result(job, outcome, duration_ms=1500))
        return done

    async def tick(self) -> dict[str, int]:
        return await self.plans.tick()

    async def later(self, players: int | None = 2, state: Any = "running", **span: float) -> dict[str, int]:
        """After some time, a heartbeat and the tick."""
        self.clock.on(**span)
        await self.report(players, state)
        return await self.tick()


async def made(world: World, monkeypatch: pytest.MonkeyPatch) -> PlanWorld:
    """Everything at noon of one day."""
    return await PlanWorld(world, Clock(at(12))).found(monkeypatch)
