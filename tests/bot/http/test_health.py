"""Health, and a database that does not answer."""

import asyncio
import os
import signal
import time
from uuid import uuid4

import pytest
from aiohttp import web

from agent import wire
from agent.http import Http, KeyRefused, Unavailable
from bot.http import build_health, errors
from bot.services.agents import HostIdentity
from db.engine import Database
from tests.bot.world import Site, World, heartbeat, serving
from tests.database import TestServer


async def test_alive_and_ready(site: Site) -> None:
    assert (await site.get("/healthz")).body == {"status": "ok"}
    assert (await site.get("/readyz")).body == {"status": "ready"}


async def test_an_empty_database_is_not_ready(postgres: TestServer) -> None:
    url = await postgres.create(empty=True)
    empty = Database(url)
    async with serving(World(empty)) as site:
        assert (await site.get("/healthz")).status == 200
        answer = await site.get("/readyz")
        assert (answer.status, answer.problem.error) == (503, "The database is not migrated.")
    await empty.close()
    await postgres.drop(url)


async def test_shutting_down_is_not_ready(world: World) -> None:
    async with serving(world) as site:
        await site.app.shutdown()
        assert (await site.get("/readyz")).status == 503
        assert (await site.get("/healthz")).status == 200


async def test_who_serves_no_agents_sends_them_to_the_next_address(site: Site) -> None:
    """An agent would forget a result that is refused for good, and go on asking whoever did so."""

    async def ready() -> str:
        return ""

    runner = web.AppRunner(build_health(ready))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with Http(f"http://127.0.0.1:{runner.addresses[0][1]}", site.url) as http:
        told = wire.Result(claim_token=uuid4(), outcome="success")
        with pytest.raises(Unavailable, match="serves no agents"):
            await http.call("POST", f"runs/{uuid4()}/result", wire.ResultAnswer, told, key="gsa_" + "x" * 50)
        with pytest.raises(KeyRefused):
            await http.call("GET", "servers", wire.ServerList, key="gsa_" + "x" * 50, query={"revision": 0})
    await runner.cleanup()


async def test_a_database_that_is_away(world: World) -> None:
    nowhere = World(Database("postgresql://nobody@127.0.0.1:1/nothing"))
    async with serving(nowhere) as site:
        assert (await site.get("/healthz")).status == 200
        answer = await site.get("/readyz")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        answer = await site.post("/agent/v1/heartbeat", heartbeat(), key="gsa_" + "x" * 50)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert wire.Problem.model_validate(answer.body).error == "The database cannot be reached."
    await nowhere.db.close()


async def test_a_stalled_database_is_answered_in_time(
    world: World, site: Site, host: HostIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "DEADLINE", 0.5)
    backends = [
        row[0] for row in await world.rows("select pid from pg_stat_activity where datname = current_database()")
    ]
    for backend in backends:
        os.kill(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answers = await asyncio.gather(*(site.post("/agent/v1/heartbeat", heartbeat()) for _ in range(5)))
        assert time.monotonic() - began < 6
        assert {answer.status for answer in answers} <= {200, 503}  # a new connection may still have been served
        assert (await site.get("/healthz")).status == 200
    finally:
        for backend in backends:
            os.kill(backend, signal.SIGCONT)
    await asyncio.sleep(0.5)
    assert (await site.post("/agent/v1/heartbeat", heartbeat())).status == 200
