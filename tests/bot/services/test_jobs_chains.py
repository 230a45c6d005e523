"""Chains of held jobs: each waits for the one before it, and whatever happens every job reaches an end."""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import wire
from bot import clock
from bot.domain.jobs import FINAL, JobType
from bot.errors import Conflict
from bot.services.agents import HostIdentity
from bot.services.jobs_enqueue import Enqueued, enqueue
from tests.bot.world import World, progress, result

OUTCOMES = ("success", "success", "success", "failed", "cancelled", "unknown")


@dataclass
class Chains:
    """Jobs that wait for each other, as drawn; the agent and the people who see them through."""

    world: World
    host: HostIdentity
    before: list[tuple[int, bool] | None]
    """Of each job the place of the one before it, and whether it comes after any end of it."""
    random: random.Random
    jobs: list[Enqueued] = field(default_factory=list[Enqueued])
    ran: list[int] = field(default_factory=list[int])
    """Places, in the order in which they were claimed."""

    async def write(self) -> None:
        """All of them in one transaction, as a schedule with steps or a batch does."""
        async with self.world.db.uow(self.world.admin()) as tx:
            for before in self.before:
                job = await enqueue(
                    tx,
                    type=JobType.ANNOUNCE,
                    params=wire.Announce(text="x"),
                    host_id=self.host.id,
                    after=None if before is None else self.jobs[before[0]].id,
                    after_any=before is not None and before[1],
                    source="batch",
                    quiet=True,
                )
                self.jobs.append(job)
            tx.audit("batch.start", resource=("org", self.world.org_id))

    async def states(self) -> list[str]:
        rows = await self.world.rows("select id, status from jobs where host_id = :host", host=self.host.id)
        found: dict[UUID, str] = {row[0]: row[1] for row in rows}
        return [found[job.id] for job in self.jobs]

    async def work(self) -> None:
        """A few are claimed, end as it happens, and people cancel what they like, until nothing is left."""
        place = {job.number: number for number, job in enumerate(self.jobs)}
        for _ in range(10 * len(self.jobs)):
            offers = await self.world.claim(self.host, self.random.randint(1, 3))
            states = await self.states()
            for offer in offers:
                self.ran.append(place[offer.number])
                self.in_order(place[offer.number], states)
            self.random.shuffle(offers)
            for offer in offers:
                await self.execute(offer)
            if all(state in FINAL for state in states):
                return
        raise AssertionError(f"some job never ends: {await self.states()}")

    async def execute(self, offer: wire.ClaimedJob) -> None:
        try:
            await self.world.queue.progress(self.host, offer.run_id, progress(offer))
        except Conflict:
            return  # it was cancelled before it was begun
        if self.random.random() < 0.2:
            await self.cancel_any()
        await self.world.queue.finish(self.host, offer.run_id, result(offer, self.random.choice(OUTCOMES)))

    async def cancel_any(self) -> None:
        try:
            await self.world.jobs.cancel(self.world.admin(), self.random.choice(self.jobs).number)
        except Conflict:
            return  # it has ended already

    def in_order(self, place: int, states: list[str]) -> None:
        """Everything that comes before it has ended, also what a cancelled one waited for, and as it must."""
        if before := self.before[place]:
            assert before[1] or states[before[0]] == "success", (place, states)
        while before := self.before[place]:
            place = before[0]
            assert states[place] in FINAL, (place, states)


@st.composite
def shapes(draw: st.DrawFn) -> list[tuple[int, bool] | None]:
    """Chains and trees: each job comes after an earlier one, or begins one of its own."""
    count = draw(st.integers(2, 9))
    return [
        (draw(st.integers(max(0, place - 2), place - 1)), draw(st.booleans()))
        if place and draw(st.integers(0, 4))
        else None
        for place in range(count)
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=shapes(), seed=st.integers(0, 10_000))
async def test_every_job_ends_and_none_comes_before_its_turn(
    world: World, before: list[tuple[int, bool] | None], seed: int
) -> None:
    host, _ = await world.pair(f"gs-{World.interactions}")
    chains = Chains(world, host, before, random.Random(seed))
    await chains.write()
    assert [state == "held" for state in await chains.states()] == [before is not None for before in chains.before]
    await chains.work()
    assert len(chains.ran) == len(set(chains.ran))
    assert all(state in FINAL for state in await chains.states())


async def chain(world: World, host: HostIdentity, length: int, *, after_any: bool = False) -> list[Enqueued]:
    before: list[tuple[int, bool] | None] = [None, *((place, after_any) for place in range(length - 1))]
    chains = Chains(world, host, before, random.Random(0))
    await chains.write()
    return chains.jobs


async def test_a_long_chain_ends_with_its_beginning(world: World) -> None:
    host, _ = await world.pair()
    jobs = await chain(world, host, 600)
    await world.jobs.cancel(world.admin(), jobs[0].number)
    assert await world.rows("select status, count(*) from jobs group by 1") == [("cancelled", 600)]


async def test_one_that_leaves_the_chain_does_not_let_the_next_one_pass(world: World) -> None:
    host, _ = await world.pair()
    jobs = await chain(world, host, 4, after_any=True)
    running = await world.started(host)
    for job in jobs[1:3]:
        await world.jobs.cancel(world.admin(), job.number)
    assert await world.job(jobs[3].number) == ("held", None)
    await world.queue.finish(host, running.run_id, result(running, "failed"))
    assert await world.job(jobs[3].number) == ("queued", None)


async def test_a_held_job_does_not_expire_and_its_time_counts_from_its_turn(world: World) -> None:
    host, _ = await world.pair()
    first = await world.enqueue(host, None)
    later = clock.now() + timedelta(hours=2)
    soon = await world.enqueue(host, None, after=first.id, expires_after=timedelta(minutes=5))
    planned = await world.enqueue(host, None, after=first.id, not_before=later, expires_after=timedelta(minutes=7))
    await world.rows(
        """update jobs set not_before = not_before - interval '1 day', expires_at = expires_at - interval '1 day'
            where id = :id""",
        id=soon.id,
    )
    assert await world.sweep.expiry() == {"expired": 0}
    running = await world.started(host)
    await world.queue.finish(host, running.run_id, result(running))
    rows = await world.rows(
        "select number, expires_at - not_before, not_before from jobs where after_job_id is not null"
    )
    times = {number: (span, begin) for number, span, begin in rows}
    assert times[soon.number][0] == timedelta(minutes=5)
    assert abs(times[soon.number][1] - clock.now()) < timedelta(seconds=20)
    assert times[planned.number] == (timedelta(minutes=7), later)


@pytest.mark.parametrize(("end", "after_any", "status"), [("success", False, "queued"), ("failed", True, "queued")])
async def test_who_comes_after_what_has_ended_begins_at_once(
    world: World, end: str, after_any: bool, status: str
) -> None:
    host, _ = await world.pair()
    first = await world.enqueue(host, None)
    running = await world.started(host)
    await world.queue.finish(host, running.run_id, result(running, end))
    job = await world.enqueue(host, None, after=first.id, after_any=after_any)
    assert await world.job(job.number) == (status, None)


async def test_nothing_waits_for_what_did_not_succeed(world: World) -> None:
    host, _ = await world.pair()
    first = await world.enqueue(host, None)
    await world.jobs.cancel(world.admin(), first.number)
    with pytest.raises(Conflict, match="did not succeed"):
        await world.enqueue(host, None, after=first.id)
    other = await World(world.db, guild=2002).found()
    stranger, _ = await other.pair()
    with pytest.raises(Conflict, match="did not succeed"):
        await other.enqueue(stranger, None, after=first.id, after_any=True)


async def test_a_job_is_tried_as_often_and_as_soon_as_was_said(world: World) -> None:
    host, _ = await world.pair()
    await world.enqueue(host, None, max_attempts=2, backoff=timedelta(minutes=10))
    first = await world.started(host)
    await world.queue.finish(host, first.run_id, result(first, "failed"))
    wait = await world.value("select not_before from jobs") - clock.now()
    assert timedelta(minutes=9) < wait <= timedelta(minutes=10)
    await world.rows("update jobs set not_before = now() - interval '1 second'")
    second = await world.started(host)
    await world.queue.finish(host, second.run_id, result(second, "failed"))
    assert await world.job(first.number) == ("failed", "failed")


async def test_what_a_cancel_takes_with_it_is_in_its_audit_row(world: World) -> None:
    host, _ = await world.pair()
    jobs = await chain(world, host, 3)
    await world.jobs.cancel(world.admin(), jobs[0].number)
    details = await world.value("select details from audit_logs where action = 'job.cancel'")
    assert details["followers"] == [jobs[1].number, jobs[2].number]
