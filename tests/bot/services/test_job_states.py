"""Whatever happens in whatever order, the statements move jobs and runs as the table of states says."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import wire
from bot.domain.jobs import FINAL, JobType
from bot.errors import AppError
from bot.services.agents import HostIdentity
from tests.bot.services.job_history import JOB_MOVES, RUN_MOVES, History
from tests.bot.world import World, progress, result

_STEPS: Final = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "ask",
                "ask after",
                "claim",
                "claim",
                "begin",
                "begin",
                "end",
                "end",
                "end",
                "cancel",
                "lapse",
                "expire",
                "due",
            ]
        ),
        st.integers(0, 7),
        st.sampled_from(["success", "failed", "cancelled", "unknown"]),
    ),
    min_size=8,
    max_size=30,
)


@dataclass
class Life:
    """One host, what it was offered, and people who ask and cancel."""

    world: World
    host: HostIdentity
    server: UUID
    made: list[tuple[int, UUID]] = field(default_factory=list[tuple[int, UUID]])
    offers: list[wire.ClaimedJob] = field(default_factory=list[wire.ClaimedJob])

    async def step(self, what: str, which: int, outcome: str) -> None:
        world = self.world
        match what:
            case "ask" | "ask after":
                await self._ask(after=what == "ask after", which=which)
            case "claim":
                self.offers += await world.claim(self.host, 1 + which % 3)
            case "begin" if self.offers:
                offer = self.offers[which % len(self.offers)]
                await world.queue.progress(self.host, offer.run_id, progress(offer))
            case "end" if self.offers:
                offer = self.offers[which % len(self.offers)]
                await world.queue.finish(self.host, offer.run_id, result(offer, outcome))
            case "cancel" if self.made:
                await world.jobs.cancel(world.admin(), self.made[which % len(self.made)][0])
            case "lapse" if self.offers:
                await world.lapse(self.offers[which % len(self.offers)].run_id)
                await world.sweep.leases()
            case "expire" if self.made:
                await world.rows(
                    "update jobs set expires_at = now() where number = :number and status = 'queued'",
                    number=self.made[which % len(self.made)][0],
                )
                await world.sweep.expiry()
            case _:  # the waits of retries pass
                await world.rows("update jobs set not_before = now() - interval '1 second' where status = 'queued'")

    async def _ask(self, *, after: bool, which: int) -> None:
        before = self.made[which % len(self.made)][1] if after and self.made else None
        kind, params = (
            (JobType.SERVER_RESTART, wire.ServerRestart()) if which % 2 else (JobType.ANNOUNCE, wire.Announce(text="x"))
        )
        job = await self.world.enqueue(
            self.host, self.server, kind, params, after=before, after_any=which > 3, max_attempts=1 + which % 3
        )
        self.made.append((job.number, job.id))


@pytest.fixture
async def history(world: World) -> History:
    return await History.begun(world)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
async def test_no_order_of_events_leaves_the_table(
    world: World, history: History, steps: list[tuple[str, int, str]]
) -> None:
    host, _ = await world.pair(f"gs-{world.interactions}-{World.interactions}")
    life = Life(world, host, await world.server(host, f"EU{World.interactions}"))
    for what, which, outcome in [("ask", 1, ""), ("ask", 0, ""), *steps]:
        try:
            await life.step(what, which, outcome)
        except AppError:
            continue  # refused, so nothing has moved
        finally:
            await history.check()
    await _ends(life)
    await history.check()


async def _ends(life: Life) -> None:
    """Whatever was left open ends: an agent that works, and sweepers."""
    for _ in range(40):
        await life.world.rows("update job_runs set lease_expires_at = now() where status in ('claimed', 'running')")
        await life.world.sweep.leases()
        await life.step("due", 0, "")
        for offer in await life.world.claim(life.host):
            await life.world.queue.progress(life.host, offer.run_id, progress(offer))
            await life.world.queue.finish(life.host, offer.run_id, result(offer))
        left = "select count(*) from jobs where host_id = :host and not status = any(:ends)"
        if not await life.world.value(left, host=life.host.id, ends=list(FINAL)):
            return
    raise AssertionError("a job never ends")


async def test_every_move_in_the_table_happens(world: World, history: History) -> None:
    """One story for each; the table holds nothing that the statements do not do."""
    host, _ = await world.pair()
    life = Life(world, host, await world.server(host))
    for story in _STORIES:
        life.made.clear()
        life.offers.clear()
        for what, which, outcome in story:
            await life.step(what, which, outcome)
            if what == "due":
                await life.step("due", 0, "")
        await _ends(life)
    await history.check()
    assert {("jobs", *move) for move in JOB_MOVES if move[0] != move[1]} <= history.moves
    assert {("job_runs", *move) for move in RUN_MOVES} <= history.moves


_BEGUN: Final = [("ask", 2, ""), ("claim", 0, ""), ("begin", 0, "")]  # an announcement with three attempts
_LOST: Final = [*_BEGUN, ("lapse", 0, "")]
_GIVEN_UP: Final = [("ask", 3, ""), ("claim", 0, ""), ("begin", 0, ""), ("lapse", 0, "")]  # one attempt
_ENDS: Final = ("success", "failed", "cancelled")
_STORIES: Final = [
    [*_BEGUN, ("end", 0, "success")],
    [*_BEGUN, ("end", 0, "failed")],
    [*_GIVEN_UP[:-1], ("end", 0, "failed")],
    [*_BEGUN, ("end", 0, "cancelled")],
    [*_BEGUN, ("end", 0, "unknown")],
    *[[*_BEGUN[:-1], ("end", 0, outcome)] for outcome in (*_ENDS, "unknown")],
    [("ask", 0, ""), ("cancel", 0, "")],
    [("ask", 0, ""), ("claim", 0, ""), ("cancel", 0, "")],
    [("ask", 0, ""), ("claim", 0, ""), ("lapse", 0, "")],
    [("ask", 0, ""), ("ask after", 0, ""), ("cancel", 1, "")],
    [("ask", 0, ""), ("ask after", 0, ""), ("cancel", 0, "")],
    [("ask", 0, ""), ("ask after", 0, "")],
    [("ask", 0, ""), ("expire", 0, "")],
    *[[*_LOST, ("end", 0, outcome)] for outcome in ("success", "unknown", "cancelled")],
    *[
        [*_LOST, ("due", 0, ""), ("claim", 0, ""), ("end", 0, outcome)]
        for outcome in ("success", "unknown", "cancelled")
    ],
    *[[*_GIVEN_UP, ("end", 0, outcome)] for outcome in _ENDS],
    *[[*_LOST, ("expire", 0, ""), ("end", 0, outcome)] for outcome in ("success", "unknown", "cancelled")],
]
