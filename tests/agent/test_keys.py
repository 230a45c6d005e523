"""The host's key: how it changes, and what happens when it is refused."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from agent import wire
from agent.host import Meter
from agent.http import Http, KeyRefused, Misunderstood, Refused, Unavailable
from agent.identity import Identity, IdentityFile
from agent.link import Link
from agent.loops import Backoff
from tests.agent.control_plane import ControlPlane
from tests.agent.faults import garbage, lost, redirect, slow, status


@pytest.fixture
def identities(tmp_path: Path, plane: ControlPlane) -> IdentityFile:
    file = IdentityFile(tmp_path / "state")
    file.save(Identity(host_id=plane.host_id, key=plane.key))
    return file


@pytest.fixture
async def link(plane: ControlPlane, identities: IdentityFile) -> AsyncIterator[Link]:
    async with Http(plane.url) as http:
        yield Link(http, identities)


@pytest.fixture
def beat(tmp_path: Path) -> wire.Heartbeat:
    return wire.Heartbeat(agent_version="0", games=[], metrics=Meter(tmp_path).metrics(), servers=[])


async def test_a_new_key_is_stored_used_and_confirmed(
    plane: ControlPlane, link: Link, identities: IdentityFile, beat: wire.Heartbeat
) -> None:
    old, new = plane.key, plane.new_key()
    plane.rotate_to = new
    await link.heartbeat(beat)
    assert (identities.load().key, identities.load().previous_key) == (new, old)
    await link.servers(0)
    assert plane.keys == {new}
    assert plane.keys_seen == [old, new]
    assert identities.load().previous_key is None
    assert identities.path.stat().st_mode & 0o777 == 0o600


async def test_a_new_key_that_got_lost_does_not_lock_the_host_out(
    plane: ControlPlane, link: Link, identities: IdentityFile, beat: wire.Heartbeat
) -> None:
    old = plane.key
    plane.rotate_to = plane.new_key()
    plane.faults["heartbeat"].append(lost())
    with pytest.raises(Unavailable):
        await link.heartbeat(beat)
    assert identities.load().key == old
    plane.keys = {old}
    plane.rotate_to = newest = plane.new_key()
    await link.heartbeat(beat)
    await link.heartbeat(beat)
    assert identities.load() == Identity(host_id=plane.host_id, key=newest)


async def test_the_old_key_is_the_way_back(
    plane: ControlPlane, link: Link, identities: IdentityFile, beat: wire.Heartbeat
) -> None:
    old = plane.key
    plane.rotate_to = plane.new_key()
    await link.heartbeat(beat)
    plane.keys, plane.rotate_to = {old}, None  # the bot has forgotten the new one
    await link.heartbeat(beat)
    assert identities.load() == Identity(host_id=plane.host_id, key=old)
    plane.rotate_to = again = plane.new_key()
    await link.heartbeat(beat)
    await link.heartbeat(beat)
    assert identities.load().key == again


async def test_a_new_key_survives_a_late_answer_to_the_old_one(
    plane: ControlPlane, link: Link, identities: IdentityFile, beat: wire.Heartbeat
) -> None:
    old = link.identity.key
    plane.faults["servers"].append(slow(0.3))
    call = asyncio.create_task(link.servers(0))
    await asyncio.sleep(0.05)
    plane.rotate_to = new = plane.new_key()
    await link.heartbeat(beat)
    await call
    assert (link.identity.key, link.identity.previous_key) == (new, old)


async def test_a_key_that_cannot_be_stored_is_not_used(
    plane: ControlPlane, link: Link, identities: IdentityFile, beat: wire.Heartbeat
) -> None:
    old = plane.key
    plane.rotate_to = plane.new_key()
    identities.path = identities.path.parent / "nowhere" / "identity.json"
    identities.path.parent.write_text("in the way")
    await link.heartbeat(beat)
    assert link.identity.key == old


async def test_pairing_again_reaches_the_running_agent(
    plane: ControlPlane, link: Link, identities: IdentityFile
) -> None:
    plane.keys = {plane.new_key()}
    with pytest.raises(KeyRefused):
        await link.servers(0)
    identities.save(Identity(host_id=plane.host_id, key=plane.key))
    await link.servers(0)
    assert link.identity.key == plane.key


async def test_a_refused_key_is_said_once_and_tried_slowly(
    plane: ControlPlane, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    plane.keys = {plane.new_key()}
    for _ in range(2):
        with pytest.raises(KeyRefused):
            await link.servers(0)
    with pytest.raises(KeyRefused) as refused:
        await link.servers(0)
    assert [record.message for record in caplog.records] == [
        "the bot refuses this host's key: This key is not valid; trying again"
    ]
    assert Backoff().after(refused.value) >= 120


async def test_the_key_does_not_follow_a_redirect(plane: ControlPlane, link: Link) -> None:
    visits: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        visits.append(request.headers.get("Authorization", ""))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    plane.faults["servers"].append(redirect(f"http://127.0.0.1:{runner.addresses[0][1]}/agent/v1/servers"))
    with pytest.raises(Misunderstood, match="redirects to"):
        await link.servers(0)
    assert visits == []
    await runner.cleanup()


async def test_what_an_error_means(plane: ControlPlane, link: Link) -> None:
    plane.faults["servers"].extend([status(503, retry_after=7), status(429, retry_after=9), status(409), garbage()])
    with pytest.raises(Unavailable) as busy:
        await link.servers(0)
    assert (busy.value.status, busy.value.retry_after) == (503, 7)
    with pytest.raises(Unavailable) as throttled:
        await link.servers(0)
    assert throttled.value.retry_after == 9
    with pytest.raises(Refused):
        await link.servers(0)
    with pytest.raises(Misunderstood):
        await link.servers(0)
    await plane.stop()
    with pytest.raises(Unavailable, match="cannot be reached") as away:
        await link.servers(0)
    assert away.value.status is None
