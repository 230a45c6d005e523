"""Downloads: from the address that was typed and from nowhere else. The server has a certificate of its own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import Invalid
from bot.services import downloads
from bot.services.downloads import Downloads, Policy
from tests.bot.services.mirror import Mirror, loopback, says, serving


@pytest.fixture
async def mirror(tmp_path: Path) -> AsyncIterator[Mirror]:
    async with serving(tmp_path) as mirror:
        yield mirror


async def fetch(downloads: Downloads, url: str) -> bytes:
    return b"".join([chunk async for chunk in downloads.fetch(downloads.check(url))])


async def test_a_file_comes_as_it_lies_there(mirror: Mirror) -> None:
    mirror.answers["/mod.zip"] = says(b"PK" * 300_000)
    assert await fetch(mirror.downloads(), mirror.url()) == b"PK" * 300_000


async def test_redirects_are_followed_by_hand(mirror: Mirror) -> None:
    mirror.answers = {
        "/a": says(b"", 302, Location="/b"),
        "/b": says(b"", 307, Location=mirror.url("c", "127.0.0.1")),
        "/c": says(b"content"),
        "/round": says(b"", 301, Location="/round"),
        "/plain": says(b"", 302, Location="http://localhost/x"),
        "/inside": says(b"", 302, Location="https://10.0.0.1/x"),
        "/file": says(b"", 302, Location="file:///etc/passwd"),
    }
    assert await fetch(mirror.downloads(), mirror.url("a")) == b"content"
    for path, why in (("round", "in circles"), ("plain", "Only https"), ("inside", "private"), ("file", "Only https")):
        with pytest.raises(Invalid, match=why):
            await fetch(mirror.downloads(), mirror.url(path))


async def test_a_name_that_means_a_private_address_is_not_connected_to(mirror: Mirror) -> None:
    """`localhost` resolves to loopback: by name as well as by number, nothing is even asked."""
    mirror.answers["/mod.zip"] = says(b"secret")
    for host in ("localhost", "127.0.0.1"):
        with pytest.raises(Invalid, match="private network"):
            await fetch(mirror.downloads(strict=True), mirror.url(host=host))
    assert mirror.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "example.org/x",
        "https://",
        "https://user:pass@example.org/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::a00:1]/x",
        "https://[fe80::1]/x",
        "https://[::127.0.0.1]/x",
        "https://[::ffff:0:127.0.0.1]/x",
        "https://[fec0::1]/x",
        "https://192.0.0.192/x",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/x",
        "https://100.64.0.1/x",
        "https://0.0.0.0/x",
        "https://224.0.0.1/x",
        "https://example.org:99999/x",
        "https://exa mple/x",
        "",
    ],
)
def test_what_is_not_even_tried(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        Downloads().check(url)
    assert refused.value.what and refused.value.remedy


@pytest.mark.parametrize(
    "number", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "127.0.0.1.", "127。0。0。1", "0"]
)
async def test_other_ways_to_write_loopback(number: str) -> None:
    """The system's resolver takes them for addresses; nobody is called there, whatever that would say of the name."""
    calls: list[object] = []
    listening = await asyncio.start_server(lambda _, writer: calls.append(writer), "127.0.0.1", 0)
    async with listening:
        with pytest.raises(Invalid):
            await fetch(Downloads(), f"https://{number}:{listening.sockets[0].getsockname()[1]}/x")
    assert not calls


async def test_what_a_server_may_not_do(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async def broken(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Length": "1000"})
        await answer.prepare(request)
        await answer.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return answer

    mirror.answers = {
        "/404": says(b"", 404),
        "/packed": says(b"x", Content_Encoding="gzip"),
        "/silent": silent,
        "/broken": broken,
        "/large": says(b"x" * 2000),
    }
    monkeypatch.setattr(downloads, "DEADLINE", 0.5)
    monkeypatch.setattr(downloads, "PACKED_MAX", 1000)
    words = {"404": "answered 404", "packed": "compressed", "silent": "in time", "broken": "reached", "large": "larger"}
    for path, why in words.items():
        with pytest.raises(Invalid, match=why):
            await fetch(mirror.downloads(), mirror.url(path))


async def test_a_certificate_that_nobody_vouches_for(mirror: Mirror) -> None:
    mirror.answers["/mod.zip"] = says(b"x")
    strict = Downloads(Policy(loopback))
    with pytest.raises(Invalid, match="could not be reached"):
        await fetch(strict, mirror.url())
    assert mirror.asked == []
