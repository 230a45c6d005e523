"""The agent against the bot's real web side and its real PostgreSQL."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest
from aiohttp import web

from agent import wire
from bot.domain.jobs import JobType
from bot.http import build_web
from bot.services.agents import HostIdentity
from db.engine import Database
from tests.agent.harness import HostMachine
from tests.bot.world import World


class Site:
    """The bot's web side, which can go away and come back at the same address."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        world = self._world
        app = build_web(
            agents=world.agents,
            heartbeats=world.heartbeats,
            queue=world.queue,
            records=world.records,
            artifacts=world.artifacts,
            inventory=world.inventory,
        )
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@pytest.fixture
async def world(db: Database) -> World:
    return await World(db).found()


@pytest.fixture
async def site(world: World) -> AsyncIterator[Site]:
    site = Site(world)
    await site.start()
    yield site
    await site.stop()


@pytest.fixture
async def host(tmp_path: Path, site: Site) -> AsyncIterator[HostMachine]:
    """Configured, not paired."""
    host = HostMachine(tmp_path, site.url)
    host.own_process = True
    host.configure()
    yield host
    await host.clean_up()


class Paired:
    """A paired host with one server, the counting game."""

    def __init__(self, world: World, host: HostMachine, identity: HostIdentity) -> None:
        self.world, self.host, self.identity = world, host, identity
        self.server_id = UUID(int=0)

    async def add_server(self, **settings: str) -> None:
        self.host.install("arena")
        self.server_id = await self.world.value(
            """insert into server_instances (org_id, host_id, game_type_id, name, slug, status, vars)
               select :org, :host, id, 'Arena', 'arena', 'unknown', cast(:vars as jsonb)
                 from game_types where slug = 'counter' returning id""",
            org=self.identity.org_id,
            host=self.identity.id,
            vars="{" + ", ".join(f'"{key}": "{value}"' for key, value in settings.items()) + "}",
        )
        await self.world.rows("update hosts set servers_revision = servers_revision + 1")

    async def job(self, job_type: JobType, params: wire.Params) -> int:
        return (await self.world.enqueue(self.identity, self.server_id, job_type, params)).number

    async def ended(self, number: int, seconds: float = 20) -> tuple[str, str | None]:
        """The final status of a job and of its run."""
        for _ in range(int(seconds * 20)):
            status, run = await self.world.job(number)
            if status in ("success", "failed", "cancelled"):
                return status, run
            await self.world.value("select pg_sleep(0.05)")
        raise AssertionError(f"J-{number} does not end; the agent said:\n{self.host.log()}")


@pytest.fixture
async def paired(world: World, site: Site, host: HostMachine) -> Paired:
    token = (await world.hosts.add(world.admin(), "basement")).token
    code, output = await host.command("pair", site.url, token, "--config", str(host.config))
    assert code == 0, output
    identity = await world.agents.authenticate(host.identity.key, "127.0.0.1")
    return Paired(world, host, identity)


async def test_the_whole_life_of_a_server(paired: Paired, world: World, host: HostMachine) -> None:
    await host.start()
    await paired.add_server()
    for job_type, params in (
        (JobType.SERVER_CREATE, wire.ServerCreate()),
        (JobType.SERVER_START, wire.ServerStart()),
        (JobType.SERVER_RESTART, wire.ServerRestart()),
        (JobType.SERVER_STOP, wire.ServerStop()),
    ):
        assert await paired.ended(await paired.job(job_type, params)) == ("success", "success"), host.log()
    assert (host.count("arena", "starts"), host.count("arena", "stops")) == (2, 2)
    assert (await world.audited()).count("job.finish") == 4


async def test_the_bot_dies_and_then_the_agent(paired: Paired, world: World, host: HostMachine, site: Site) -> None:
    await host.start()
    await paired.add_server(delay="10")
    await paired.ended(await paired.job(JobType.SERVER_CREATE, wire.ServerCreate()))
    number = await paired.job(JobType.SERVER_START, wire.ServerStart())
    await host.until(lambda: host.count("arena", "starts") == 1)
    await site.stop()
    await host.until(lambda: host.spooled(".result") != [])
    await host.kill()
    await site.start()
    await host.start()
    assert await paired.ended(number) == ("success", "success")
    assert host.count("arena", "starts") == 1
    assert (await world.audited()).count("job.finish") == 2


async def test_the_agent_dies_while_it_works(paired: Paired, world: World, host: HostMachine) -> None:
    await host.start()
    await paired.add_server(delay="300")
    await paired.ended(await paired.job(JobType.SERVER_CREATE, wire.ServerCreate()))
    number = await paired.job(JobType.SERVER_START, wire.ServerStart())
    await host.until(lambda: host.count("arena", "starts") == 1)
    await host.kill()
    await host.start()
    assert await paired.ended(number) == ("failed", "lost")
    assert host.count("arena", "starts") == 1


async def test_a_key_is_rotated_under_way(paired: Paired, world: World, host: HostMachine) -> None:
    old = host.identity.key
    await world.rows("update hosts set key_rotation_requested_at = now()")
    await world.rows("update orgs set health_interval_sec = 5")
    await host.start()
    await host.until(lambda: host.identity.key != old and host.identity.previous_key is None)
    assert "host.key.rotated" in await world.audited()


async def test_a_revoked_key(paired: Paired, world: World, host: HostMachine) -> None:
    await world.rows("update api_keys set revoked_at = now()")
    await host.start()
    await host.until_log("the bot refuses this host's key")
    code, report = await host.command("doctor", "--config", str(host.config))
    assert (code, "the bot refuses this host's key" in report) == (1, True)
    assert host.process is not None
    os.kill(host.process.pid, 0)


async def test_who_cancels_what_runs_sees_it_stop_within_three_seconds(
    paired: Paired, world: World, host: HostMachine
) -> None:
    await host.start()
    await paired.add_server(delay="300")
    assert await paired.ended(await paired.job(JobType.SERVER_CREATE, wire.ServerCreate())) == ("success", "success")
    number = await paired.job(JobType.SERVER_START, wire.ServerStart())
    while await world.value("select progress_phase from job_runs order by created_at desc limit 1") != "waiting_ready":
        await asyncio.sleep(0.05)
    await world.jobs.cancel(world.admin(), number)
    assert await paired.ended(number, 3) == ("cancelled", "cancelled")
    error = await world.value("select error_message from job_runs order by created_at desc limit 1")
    assert error == (
        "Cancelled at the step `waiting ready`. It was launched and runs on; only the wait was broken off."
    )
