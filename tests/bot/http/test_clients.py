"""Addresses behind proxies, and the rate limit."""

from collections.abc import Sequence

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from bot.http.clients import Proxies, RateLimit
from bot.http.errors import TooMany


def seen(remote: str, forwarded: Sequence[str], trusted: Sequence[str]) -> str | None:
    headers = CIMultiDict([("X-Forwarded-For", value) for value in forwarded])
    request = make_mocked_request("GET", "/", headers=headers).clone(remote=remote)
    return Proxies(trusted).client(request)


@pytest.mark.parametrize(
    ("remote", "forwarded", "trusted", "client"),
    [
        ("192.0.2.1", [], [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], ["10.0.0.0/8"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.9"], ["10.0.0.0/8"], "198.51.100.9"),
        ("10.0.0.1", ["6.6.6.6, 198.51.100.9"], ["10.0.0.0/8"], "198.51.100.9"),
        ("10.0.0.1", ["6.6.6.6", "198.51.100.9, 10.0.0.7"], ["10.0.0.0/8"], "198.51.100.9"),
        ("10.0.0.1", ["10.0.0.9"], ["10.0.0.0/8"], "10.0.0.9"),
        ("10.0.0.1", ["nonsense"], ["10.0.0.0/8"], "10.0.0.1"),
        ("::ffff:192.0.2.1", [], [], "192.0.2.1"),
        ("", ["198.51.100.9"], [], None),
        ("::1", ["2001:db8::5"], ["::1"], "2001:db8::5"),
    ],
)
def test_the_last_address_that_is_no_proxy(
    remote: str, forwarded: list[str], trusted: list[str], client: str | None
) -> None:
    assert seen(remote, forwarded, trusted) == client


def test_the_limit_is_per_address_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    limit = RateLimit(2, 60)
    limit.check("a")
    limit.check("a")
    limit.check("b")
    with pytest.raises(TooMany) as refusal:
        limit.check("a")
    assert refusal.value.seconds == 60
    now += 60
    limit.check("a")
