"""Many people change their minds about one server at once, while its host is at work: nothing is done twice or lost."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bot.errors import AppError
from tests.bot.services import power_world
from tests.bot.services.power_world import PlanWorld
from tests.bot.world import World

ROUNDS, AT_ONCE = 12, 5

_WRONG = {
    "cancelled, and done all the same": """select p.id from power_plans p join jobs j on j.id = p.job_id
        where p.status in ('cancelled', 'expired') and j.status in ('success', 'held', 'queued')""",
    "done, and not done": """select p.id from power_plans p join jobs j on j.id = p.job_id
        where p.status = 'done' and j.status not in ('success', 'failed')""",
    "an end without a reason or a live one with": """select id from power_plans
        where (status in ('planned', 'running')) <> (ended_at is null)""",
    "two at a time": """select server_instance_id from power_plans where status in ('planned', 'running')
        group by 1 having count(*) > 1""",
    "what waits for nothing": """select f.id from jobs f join jobs b on b.id = f.after_job_id
        where f.status = 'held' and b.status not in ('held', 'queued', 'running')""",
    "a countdown to nothing": """with recursive chain as (
          select j.id, j.after_job_id from jobs j
           where j.type = 'SERVER_RESTART' and j.status in ('held', 'queued', 'running')
          union select b.id, b.after_job_id from chain c join jobs b on b.id = c.after_job_id)
        select id from jobs where type = 'ANNOUNCE' and status = 'held' and id not in (select id from chain)""",
}


class Storm:
    """What people, the host and the clock can do."""

    def __init__(self, at_noon: PlanWorld, seed: int) -> None:
        self.at_noon, self.random = at_noon, random.Random(seed)

    async def plan(self) -> None:
        await self.at_noon.plan(self.random.choice(("in 15 min", "in 1m", "when empty", "18:30")))

    async def now(self) -> None:
        await self.at_noon.plan("now", name="Bob")

    async def cancel(self) -> None:
        await self.at_noon.power.cancel(await self.at_noon.person("Bob"), str(self.at_noon.server))

    async def postpone(self) -> None:
        await self.at_noon.power.postpone(await self.at_noon.person("Cid"), str(self.at_noon.server), "3m")

    async def kill(self) -> None:
        await self.at_noon.press(await self.at_noon.ask(action="kill", reason="stuck"), typed="EU1")

    async def host(self) -> None:
        await self.at_noon.do(self.random.choice(("success", "success", "failed")))

    async def tick(self) -> None:
        await self.at_noon.tick()

    async def sweep(self) -> None:
        await self.at_noon.world.sweep.expiry()

    async def step(self) -> None:
        """One of them. A refusal in a sentence is an answer, too."""
        acts: list[Callable[[], Awaitable[Any]]] = [
            self.plan, self.plan, self.now, self.cancel, self.postpone, self.kill, self.host, self.host, self.tick,
            self.sweep,
        ]  # fmt: skip
        with contextlib.suppress(AppError):
            await self.random.choice(acts)()

    async def blow(self) -> None:
        for _ in range(ROUNDS):
            await asyncio.gather(*(self.step() for _ in range(AT_ONCE)))
            self.at_noon.clock.on(seconds=self.random.choice((1, 30, 60, 300)))
            await self.at_noon.report(self.random.choice((0, 2, None)))


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_done_twice_or_lost(world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    at_noon = await power_world.made(world, monkeypatch)
    storm = Storm(at_noon, seed)
    await storm.blow()
    for name, statement in _WRONG.items():
        assert await world.rows(statement) == [], name
    for _ in range(6):  # and everything comes to an end
        at_noon.clock.on(hours=4)
        await at_noon.report(0)
        await world.sweep.expiry()
        await at_noon.tick()
        await at_noon.do()
    assert await at_noon.live() == []
    assert {status for status, _ in await at_noon.status()} <= {"done", "cancelled", "expired"}
    assert await world.rows("select 1 from job_runs where is_exclusive and status in ('claimed', 'running')") == []
