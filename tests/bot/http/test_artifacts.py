"""Mods between bot and hosts: who gets which file, and what a host says it has."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent import wire
from bot.services.agents import HostIdentity
from tests.bot.services.workshop import Workshop
from tests.bot.world import Site, World, heartbeat, result

MAP = bytes(range(256)) * 8_000
SHA = hashlib.sha256(MAP).hexdigest()


@pytest.fixture
async def shop(world: World, tmp_path: Path) -> Workshop:
    """Before `site`, which serves the files of the same place."""
    world.move_artifacts(tmp_path / "artifacts")
    return Workshop(world, tmp_path / "artifacts")


@pytest.fixture
async def host(shop: Workshop, site: Site) -> HostIdentity:
    """A host whose key `site` speaks with, with a Teeworlds server and a map on its way there."""
    identity, site.key = await shop.world.pair()
    games = wire.GameReport(id="teeworlds", name="Teeworlds", version=1, sha256="0" * 64, capabilities=["mods"])
    await shop.world.heartbeats.beat(identity, heartbeat(games=[games]), None)
    return identity


@pytest.fixture
async def server(shop: Workshop, host: HostIdentity) -> UUID:
    return await shop.server(host)


@pytest.fixture
async def artifact(shop: Workshop, server: UUID) -> UUID:
    """Uploaded, and about to be deployed."""
    done = await shop.upload(MAP, "dm9.map", version="1.0")
    await shop.deploy(server, "dm9")
    return done.artifact.id


async def fetch(site: Site, artifact: UUID | str, key: str | None = None) -> tuple[int, bytes, Any]:
    headers = {"Authorization": f"Bearer {site.key if key is None else key}"}
    async with site.session.get(f"{site.url}/agent/v1/artifacts/{artifact}", headers=headers) as answer:
        return answer.status, await answer.read(), answer.headers


async def test_the_file_goes_to_who_installs_it_and_only_meanwhile(
    shop: Workshop, site: Site, host: HostIdentity, artifact: UUID
) -> None:
    assert (await fetch(site, artifact))[0] == 404, "not claimed yet"
    (job,) = await shop.world.claim(host)
    status, content, headers = await fetch(site, artifact)
    assert (status, hashlib.sha256(content).hexdigest()) == (200, SHA)
    assert headers["Content-Length"] == str(len(MAP)) and headers["Content-Type"] == "application/octet-stream"
    await shop.world.queue.finish(host, job.run_id, result(job, "failed", error="no"))
    assert (await fetch(site, artifact))[0] == 404


async def test_others_get_nothing(shop: Workshop, site: Site, host: HostIdentity, artifact: UUID) -> None:
    await shop.world.claim(host)
    _, other = await shop.world.pair("gs-2")
    assert (await fetch(site, artifact, other))[0] == 404
    stranger = World(shop.world.db, guild=2002)
    await stranger.found()
    _, foreign = await stranger.pair("gs-1")
    assert (await fetch(site, artifact, foreign))[0] == 404
    assert (await fetch(site, artifact, "gsa_wrong"))[0] == 401
    assert (await fetch(site, uuid4()))[0] == (await fetch(site, "..%2f..%2fsecret.keys"))[0] == 404


async def test_a_lease_that_has_passed(shop: Workshop, site: Site, host: HostIdentity, artifact: UUID) -> None:
    job = await shop.world.started(host)
    await shop.world.lapse(job.run_id)
    assert (await fetch(site, artifact))[0] == 404


async def test_a_file_that_the_storage_has_lost(shop: Workshop, site: Site, host: HostIdentity, artifact: UUID) -> None:
    await shop.world.claim(host)
    shop.store.path(SHA).unlink()
    status, body, _ = await fetch(site, artifact)
    assert status == 404 and b"Upload the mod again" in body
    await shop.upload(MAP, "dm9.map", version="1.0")
    assert (await fetch(site, artifact))[1] == MAP, "the same file again mends it"


async def test_many_hosts_fetch_at_once(shop: Workshop, site: Site, host: HostIdentity, artifact: UUID) -> None:
    await shop.world.claim(host)
    answers = await asyncio.gather(*(fetch(site, artifact) for _ in range(20)))
    assert {(status, content == MAP) for status, content, _ in answers} == {(200, True)}


# -------------------------------------------------------------------------------------------------------- inventory


def found(folder: str, **more: Any) -> wire.ModFound:
    return wire.ModFound(folder=folder, state=more.pop("state", "active"), **more)


async def put(site: Site, server: UUID | str, *mods: wire.ModFound, revision: int = 1) -> int:
    return (await site.put(f"/agent/v1/servers/{server}/mods", wire.ModList(revision=revision, mods=list(mods)))).status


async def test_what_a_server_has(shop: Workshop, site: Site, host: HostIdentity, server: UUID, artifact: UUID) -> None:
    own = found("dm9", name="dm9", version="1.0", sha256=SHA)
    strange = found("Other", author="Eve @everyone", config_files=["Config/a.xml"])
    assert await put(site, server, own, strange, found("Other", state="quarantined")) == 204
    rows = await shop.world.rows(
        "select folder, state, version, config_files, artifact_id from server_mods order by folder, state"
    )
    assert rows == [
        ("Other", "active", None, ["Config/a.xml"], None),
        ("Other", "quarantined", None, [], None),
        ("dm9", "active", "1.0", [], artifact),
    ]
    assert await put(site, server, revision=2) == 204
    assert await shop.world.rows("select 1 from server_mods") == []


async def test_an_inventory_that_is_not_taken(shop: Workshop, site: Site, host: HostIdentity, server: UUID) -> None:
    other, _ = await shop.world.pair("gs-2")
    foreign = await shop.server(other, "EU2")
    removed = await shop.server(host, "EU3")
    await shop.world.rows("update server_instances set deleted_at = now() where id = :id", id=removed)
    assert [await put(site, one, found("x")) for one in (foreign, removed, uuid4(), "no-uuid")] == [404] * 4
    raw = b'{"revision": 1, "mods": [{"folder": "x", "state": "lost"}]}'
    assert (await site.put(f"/agent/v1/servers/{server}/mods", raw)).status == 422
    large = wire.ModList(revision=1, mods=[found(f"{n}" * 30, config_files=["x" * 300] * 200) for n in range(20)])
    assert (await site.put(f"/agent/v1/servers/{server}/mods", large)).status == 413
    twice = await site.put(f"/agent/v1/servers/{server}/mods", wire.ModList(revision=1, mods=[found("a"), found("a")]))
    assert twice.status == 204 and await shop.world.value("select count(*) from server_mods") == 1


async def test_lists_that_come_at_once(shop: Workshop, site: Site, host: HostIdentity, server: UUID) -> None:
    lists = [[found(f"m{n}", version=str(n))] * 1 + [found("all", version=str(n))] for n in range(10)]
    statuses = await asyncio.gather(*(put(site, server, *mods) for mods in lists))
    assert set(statuses) == {204}
    rows = await shop.world.rows("select version from server_mods")
    assert len(rows) == 2 and rows[0] == rows[1], "one of the lists, not a mixture"
