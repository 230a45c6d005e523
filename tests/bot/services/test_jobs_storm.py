"""Everything at once: people, hosts and sweepers over the same rows, and nothing is lost or done twice."""

import asyncio
import random
from uuid import UUID

import pytest

from agent import wire
from bot.domain.jobs import JobType
from bot.errors import AppError, Conflict, Unavailable
from bot.services.agents import HostIdentity
from tests.bot.world import World, player, progress, result


class Storm:
    """A host's agent, people and sweepers that do not wait for each other."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.executed: list[UUID] = []

    async def people(self, host: HostIdentity, servers: list[UUID], count: int) -> None:
        for _ in range(count):
            server = self.random.choice(servers)
            job = await self.world.enqueue(host, server, *self.random.choice(_KINDS))
            if self.random.random() < 0.3:
                try:
                    await self.world.jobs.cancel(self.world.admin(), job.number)
                except Conflict:
                    await asyncio.sleep(0)

    async def agent(self, host: HostIdentity, rounds: int) -> None:
        for _ in range(rounds):
            jobs = await self.world.claim(host, 3)
            if self.random.random() < 0.2:
                continue  # the answer was lost
            for job in jobs:
                await self.execute(host, job)

    async def execute(self, host: HostIdentity, job: wire.ClaimedJob) -> None:
        try:
            await self.world.queue.progress(host, job.run_id, progress(job))
        except Conflict:
            return  # another poll got a newer claim, or it was cancelled
        self.executed.append(job.id)
        if self.random.random() < 0.2:
            await self.world.lapse(job.run_id)
        for _ in range(self.random.randint(1, 2)):  # the answer to a result may get lost as well
            await self.world.queue.finish(host, job.run_id, result(job, self.random.choice(["success", "failed"])))

    async def beats(self, host: HostIdentity, servers: list[UUID], count: int) -> None:
        for _ in range(count):
            people = [player(f"P{n}", steam=f"7656119800000{n:04}") for n in self.random.sample(range(20), 8)]
            states: list[wire.Status] = ["running", "stopped", "crashed"]
            reports = [
                wire.ServerReport(id=server, state=self.random.choice(states), players=people) for server in servers
            ]
            self.random.shuffle(reports)
            await self.world.beat(host, *reports)

    async def sweeps(self, count: int) -> None:
        for _ in range(count):
            await self.world.sweep.leases()
            await self.world.sweep.expiry()
            await self.world.heartbeats.sweep()


_KINDS: list[tuple[JobType, wire.Params]] = [
    (JobType.SERVER_RESTART, wire.ServerRestart()),
    (JobType.ANNOUNCE, wire.Announce(text="hi")),
    (JobType.SERVER_STOP, wire.ServerStop()),
]


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_storm(world: World, seed: int) -> None:
    storm = Storm(world, seed)
    hosts = [(await world.pair(f"gs-{n}"))[0] for n in range(2)]
    servers = {host.id: [await world.server(host, f"{host.name}-{n}") for n in range(3)] for host in hosts}
    for server in [server for each in servers.values() for server in each]:
        await world.rows(
            "insert into bot_messages (org_id, kind, subject_id, channel_id) values (:org, 'server', :server, 5)",
            org=world.org_id,
            server=str(server),
        )
    work = [storm.sweeps(10)]
    for host in hosts:
        mine = servers[host.id]
        work += [storm.people(host, mine, 12), storm.agent(host, 12), storm.agent(host, 12), storm.beats(host, mine, 8)]
    done = await asyncio.gather(*work, return_exceptions=True)
    errors = [error for error in done if isinstance(error, BaseException)]
    assert all(isinstance(error, AppError) for error in errors), errors
    assert not any(isinstance(error, Unavailable) for error in errors), errors  # neither deadlock nor timeout

    for _ in range(30):  # calm again: what is left gets done
        for host in hosts:
            for job in await world.claim(host):
                await storm.execute(host, job)
        await world.sweep.leases()
    assert await world.rows("select number, status from jobs where finished_at is null") == []
    assert await world.rows("select status from job_runs where status in ('claimed', 'running')") == []
    assert len(storm.executed) == len(set(storm.executed))  # all of these kinds have one attempt only
    ended = await world.value("select count(*) from jobs where status in ('success', 'failed')")
    audited = await world.rows(
        "select resource_id, count(*) from audit_logs where action in ('job.finish', 'job.lost') group by 1"
    )
    assert ended <= len(audited)
