"""What the web side refuses: each with a sentence, none with a stack trace."""

import json
from typing import Any
from uuid import uuid4

import pytest

from agent import wire
from bot.http.bodies import LARGE, MEDIUM, SMALL
from bot.services.agents import HostIdentity
from tests.bot.world import Site, World, heartbeat, pair_request, player, progress, result

NO_RUN = "3f0c1c9e-5d5b-4c1e-9a51-0d3c6c0f8a77"


async def test_a_wrong_token_is_refused_politely(world: World, site: Site) -> None:
    answer = await site.post("/agent/v1/pair", pair_request("gsp_wrong"))
    assert answer.status == 401
    assert "/host add" in answer.problem.remedy


async def test_pairing_is_limited_per_address(world: World, site: Site) -> None:
    for _ in range(10):
        assert (await site.post("/agent/v1/pair", pair_request("gsp_wrong"))).status == 401
    answer = await site.post("/agent/v1/pair", pair_request((await world.hosts.add(world.admin(), "gs-1")).token))
    assert answer.status == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.problem.error == "Too many requests."


@pytest.mark.parametrize("key", ["", "gsa_wrong", "gsa_" + "x" * 500, "gsp_0123", "gsa_ä"])
@pytest.mark.parametrize("path", ["heartbeat", "jobs/claim", f"runs/{NO_RUN}/progress", f"runs/{NO_RUN}/result"])
async def test_without_a_key_nothing_is_said(site: Site, path: str, key: str) -> None:
    answer = await site.post(f"/agent/v1/{path}", b"{}", key=key)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.problem.error


async def test_a_revoked_key_is_out_at_once(world: World, site: Site, host: HostIdentity) -> None:
    assert (await site.get("/agent/v1/servers")).status == 200
    await world.hosts.revoke(world.admin(), "gs-1")
    answer = await site.get("/agent/v1/servers")
    assert (answer.status, "revoked" in answer.problem.remedy) == (401, True)


async def test_another_hosts_run_is_not_there(world: World, site: Site, host: HostIdentity) -> None:
    other, _ = await world.pair("gs-2")
    await world.enqueue(other, await world.server(other))
    job = await world.started(other)
    for path, body in (("progress", progress(job)), ("result", result(job))):
        assert (await site.post(f"/agent/v1/runs/{job.run_id}/{path}", body)).status == 404
    assert await world.job(job.number) == ("running", "running")


@pytest.mark.parametrize("run", ["nonsense", "1", NO_RUN])
async def test_runs_that_do_not_exist(site: Site, host: HostIdentity, run: str) -> None:
    body = wire.Progress(claim_token=uuid4(), phase=wire.Step.STARTED)
    assert (await site.post(f"/agent/v1/runs/{run}/progress", body)).status == 404


async def test_a_stale_claim_is_a_conflict(world: World, site: Site, host: HostIdentity) -> None:
    await world.enqueue(host, await world.server(host))
    (old,) = await site.claim()
    (new,) = await site.claim()
    assert (await site.post(f"/agent/v1/runs/{old.run_id}/progress", progress(old))).status == 409
    assert (await site.post(f"/agent/v1/runs/{new.run_id}/progress", progress(new))).status == 200


def _deep(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b'{"slots": 0}',
        b'{"slots": 51}',
        b'{"slots": "many"}',
        b'{"slots": 1, "path": "/etc/passwd"}',
        b'{"slots": NaN}',
        b'{"slots": 1e400}',
        b'{"slots": 99999999999999999999999999}',
        b"\xff\xfe{}",
        b'{"slots": 1',
        _deep(40),
        _deep(7000),
    ],
)
async def test_malformed_bodies(site: Site, host: HostIdentity, body: bytes) -> None:
    answer = await site.post("/agent/v1/jobs/claim", body)
    assert answer.status == 422
    assert "Traceback" not in json.dumps(answer.body)


@pytest.mark.parametrize(("path", "limit"), [("jobs/claim", SMALL), ("heartbeat", LARGE), ("pair", MEDIUM)])
async def test_bodies_that_are_too_large(site: Site, host: HostIdentity, path: str, limit: int) -> None:
    assert (await site.post(f"/agent/v1/{path}", b" " * (limit + 1))).status == 413

    async def chunks() -> Any:
        for _ in range(limit // 1000 + 2):
            yield b" " * 1000

    headers = {"Authorization": f"Bearer {site.key}"}
    async with site.session.post(f"{site.url}/agent/v1/{path}", data=chunks(), headers=headers) as answer:
        assert answer.status == 413  # nobody said how much would come
        assert wire.Problem.model_validate(await answer.json()).error


async def test_what_postgresql_cannot_store_is_taken_out(world: World, site: Site, host: HostIdentity) -> None:
    server = await world.server(host)
    report = wire.ServerReport(id=server, state="running", players=[player("NAME", steam="76561198000000001")])
    body = heartbeat(report).model_dump_json(by_alias=True)
    forged = body.replace('"NAME"', '"e\\u0000v\\ud800e\\udfff"').encode()
    assert (await site.post("/agent/v1/heartbeat", forged)).status == 200
    assert await world.value("select name from players") == "eve"


async def test_a_foreign_server_in_a_heartbeat_is_ignored(world: World, site: Site, host: HostIdentity) -> None:
    stranger = await World(world.db, guild=2002).found()
    theirs, _ = await stranger.pair()
    server = await stranger.server(theirs)
    answer = await site.post("/agent/v1/heartbeat", heartbeat(wire.ServerReport(id=server, state="crashed")))
    assert answer.status == 200
    assert await world.value("select status from server_instances") == "running"


@pytest.mark.parametrize("wait", ["nan", "soon", "-5", "inf", "1e9"])
async def test_odd_waits(world: World, site: Site, host: HostIdentity, wait: str) -> None:
    await world.enqueue(host, await world.server(host))
    answer = await site.post(f"/agent/v1/jobs/claim?wait={wait}", wire.ClaimRequest(slots=1))
    assert answer.status == (422 if wait in ("nan", "soon", "inf") else 200)


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/agent/v1/pair", 405), ("DELETE", "/healthz", 405)]
)
async def test_unknown_paths_are_problems_too(site: Site, method: str, path: str, status: int) -> None:
    async with site.session.request(method, site.url + path) as answer:
        assert answer.status == status
        assert wire.Problem.model_validate(await answer.json()).error


async def test_a_bug_is_a_sentence_with_a_reference(world: World, site: Site, host: HostIdentity) -> None:
    await world.rows("drop table events cascade")
    answer = await site.post("/agent/v1/heartbeat", heartbeat(), **{"X-Request-Id": "abc123"})
    assert answer.status == 500
    assert answer.body == {"error": "Something broke on our side.", "remedy": "Look for abc123 in the bot's log."}
