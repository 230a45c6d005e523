"""A bot with several addresses: the agent goes on with the next one, as the same host, and comes back."""

import asyncio

import pytest

from agent import wire
from agent.addresses import Addresses, Moved
from agent.http import Http, Unavailable
from tests.agent.control_plane import ControlPlane
from tests.agent.harness import HostMachine, free_port


async def done(plane: ControlPlane, server: wire.ServerSpec) -> None:
    """A job is taken, done and reported."""
    result = await plane.enqueue(wire.ServerCreate(), server).result()
    assert result.outcome == "success", result


async def test_the_host_is_the_same_at_each_address(host: HostMachine, plane: ControlPlane) -> None:
    first, second = free_port(), plane.port
    host.url = f"http://127.0.0.1:{first}"
    host.configure(other_urls=f'["{plane.url}"]')
    host.install("arena")
    spec = plane.add_server("arena", "counter")
    await host.start()
    assert (await plane.enqueue(wire.ServerCreate(), spec).result()).outcome == "success"
    await done(plane, spec)
    await plane.stop()
    await plane.start(first)
    await done(plane, spec)
    await plane.stop()
    await plane.start(second)
    await done(plane, spec)


async def test_the_next_address_is_tried_in_the_same_call(plane: ControlPlane) -> None:
    async with Http(f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}", plane.url) as http:
        answer = await http.call("GET", "servers", wire.ServerList, key=plane.key, query={"revision": 0})
        assert answer.servers == [] and http.url == plane.url
        await plane.stop()
        with pytest.raises(Unavailable, match="cannot be reached"):
            await http.call("GET", "servers", wire.ServerList, key=plane.key, query={"revision": 0})


async def test_whoever_is_unwell_is_left(plane: ControlPlane) -> None:
    """Whatever was sent may have arrived, so the same call is not sent twice; the next one goes elsewhere."""
    async with Http(f"{plane.url}/elsewhere", plane.url) as http:
        other = http.url
        assert (await http.exchange("GET", "servers", key=plane.key))[0] == 404 and http.url == other
    ill = asyncio.start_server(_unwell, "127.0.0.1", 0)
    async with await ill as server:
        port = server.sockets[0].getsockname()[1]
        async with Http(f"http://127.0.0.1:{port}", plane.url) as http:
            assert (await http.exchange("GET", "servers", key=plane.key))[0] == 503
            assert http.url == plane.url


async def _unwell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Unwell\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


async def test_an_open_poll_ends_when_another_call_has_had_no_answer() -> None:
    addresses = Addresses(["http://a", "http://b"])
    poll = asyncio.create_task(addresses.unless_moved(asyncio.Event().wait()))
    await asyncio.sleep(0)
    addresses.failed("http://b")
    assert addresses.current == "http://a", "that one is not in use"
    addresses.failed("http://a")
    with pytest.raises(Moved):
        await poll
    addresses.failed("http://a")
    assert addresses.current == "http://b", "two that fail together move on once"
    addresses.failed("http://b")
    assert addresses.current == "http://a", "in a circle"


async def test_a_single_address_is_asked_for_ever() -> None:
    alone = Addresses(["http://a"])
    alone.failed("http://a")
    assert alone.current == "http://a"
    assert await alone.unless_moved(asyncio.sleep(0, "answer")) == "answer"
