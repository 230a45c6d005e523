"""Long polls: woken by NOTIFY, correct without it, gone at once when the process ends."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from aiohttp import ClientSession

from bot.http import polls
from bot.http.errors import TooMany
from bot.services.agents import HostIdentity
from bot.services.jobs_queue import JobQueue
from db.engine import Database
from tests.bot.world import Site, World, progress, serving


class Deaf(JobQueue):
    """A queue whose notifications get lost."""

    async def listen(self, on_notify: Callable[[str], None]) -> None:
        await asyncio.Event().wait()


async def test_a_new_job_wakes_its_host_at_once(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    poll = asyncio.create_task(site.claim(wait=20))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    await world.enqueue(host, server)
    assert len(await poll) == 1
    assert time.monotonic() - began < 0.8  # well before the fallback could have found it every time


async def test_without_notifications_polling_finds_it(world: World, db: Database) -> None:
    world.queue = Deaf(db)
    async with serving(world) as site:
        host, site.key = await world.pair()
        poll = asyncio.create_task(site.claim(wait=20))
        await asyncio.sleep(0.2)
        await world.enqueue(host, await world.server(host))
        began = time.monotonic()
        assert len(await poll) == 1
        assert time.monotonic() - began < polls.FALLBACK_SECONDS + 1


async def test_nothing_to_do_is_answered_after_the_wait(world: World, site: Site, host: HostIdentity) -> None:
    began = time.monotonic()
    assert await site.claim(wait=0.5) == []
    assert 0.4 < time.monotonic() - began < 2


async def test_fifty_hosts_wait_and_each_gets_its_own(world: World, site: Site) -> None:
    paired = [await world.pair(f"gs-{n}") for n in range(50)]
    servers = [await world.server(host, f"S{n}") for n, (host, _) in enumerate(paired)]
    waiting = [asyncio.create_task(site.claim(wait=30, key=key)) for _, key in paired]
    await asyncio.sleep(1)
    assert not any(poll.done() for poll in waiting)
    for (host, _), server in zip(paired, servers, strict=True):
        await world.enqueue(host, server)
    got = await asyncio.wait_for(asyncio.gather(*waiting), 20)
    assert [[job.server_id for job in jobs] for jobs in got] == [[server] for server in servers]


async def test_polls_that_were_left_behind_do_no_harm(world: World, site: Site, host: HostIdentity) -> None:
    """An agent has one poll open; one that was restarted over and over leaves others behind, and they take offers."""
    servers = [await world.server(host, f"S{n}") for n in range(5)]
    waiting = [asyncio.create_task(site.claim(wait=1.5, slots=1)) for _ in range(50)]
    await asyncio.sleep(0.5)
    for server in servers:
        await world.enqueue(host, server)
    left_behind = [job for jobs in await asyncio.gather(*waiting) for job in jobs]
    offered = await site.claim(slots=10)
    assert {job.server_id for job in offered} == set(servers)
    assert await world.value("select count(*) from job_runs") == 5
    for job in left_behind:
        assert (await site.post(f"/agent/v1/runs/{job.run_id}/progress", progress(job))).status == 409
    for job in offered:
        assert (await site.post(f"/agent/v1/runs/{job.run_id}/progress", progress(job))).status == 200


async def test_more_polls_than_any_agent_needs(world: World, site: Site, host: HostIdentity) -> None:
    waiting = polls.Polls(world.queue)
    with ExitStack() as stack:
        for _ in range(polls.POLLS_PER_HOST):
            stack.enter_context(waiting.waiting(host.id))
        with pytest.raises(TooMany), waiting.waiting(host.id):
            pass
        with waiting.waiting(world.org_id):
            pass  # others are not concerned
    with waiting.waiting(host.id):
        pass


async def test_polls_end_at_once_on_shutdown(world: World) -> None:
    async with serving(world) as site:
        _, site.key = await world.pair()
        poll = asyncio.create_task(site.claim(wait=30))
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await site.app.shutdown()
        assert await poll == []
        assert time.monotonic() - began < 1


async def test_who_hung_up_is_offered_nothing(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    async with ClientSession() as session:
        poll = asyncio.create_task(Site(site.url, session, site.app, site.key).claim(wait=20))
        await asyncio.sleep(0.3)
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)
    await asyncio.sleep(0.1)
    await world.enqueue(host, server)
    await asyncio.sleep(1.5)
    assert await world.value("select count(*) from job_runs") == 0
    assert len(await site.claim()) == 1


async def test_a_key_revoked_during_a_poll(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    poll = asyncio.create_task(site.claim(wait=2))
    await asyncio.sleep(0.3)
    await world.hosts.revoke(world.admin(), "gs-1")
    await world.enqueue(host, server)
    assert await poll == []
    assert await world.value("select count(*) from job_runs") == 0


@pytest.mark.parametrize("payload", ["", "nonsense"])
async def test_an_odd_notification_wakes_everybody(world: World, payload: str) -> None:
    waiting = polls.Polls(world.queue)
    with waiting.waiting(world.org_id) as event:
        waiting.wake(payload)
        assert event.is_set()
        event.clear()
        waiting.wake(str(world.org_id))
        assert event.is_set()
    waiting.wake("")
    assert event.is_set()
