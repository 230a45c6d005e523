"""Files from addresses that people type: over https, from public addresses only, within limits.

The bot stands inside somebody's network. A name is resolved here and connected to as it was resolved, so that nothing
behind the firewall can be reached by a name that means something else the second time.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bot.errors import Invalid
from games.archives import PACKED_MAX

REDIRECTS: Final = 5
DEADLINE: Final = 300.0
"""Seconds for each request, its content included."""
_CHUNK: Final = 256 * 1024
_REMEDY: Final = "Attach the file instead, or put it where everybody can fetch it."
_GLOBAL: Final = ipaddress.IPv6Network("2000::/3")
"""What is assigned of IPv6 to the public. Outside of it many an address stands for one of IPv4 (NAT64, ::127.0.0.1)."""
#: Within it, those that stand for IPv4 ones (6to4, Teredo): behind them may be anything.
_DISGUISES: Final = tuple(ipaddress.IPv6Network(n) for n in ("2002::/16", "2001::/32"))
_PROTOCOLS: Final = ipaddress.IPv4Network("192.0.0.0/24")
"""For protocols, and for what some clouds tell their machines."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def public(address: Address) -> bool:
    """Whether an address is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        usual = address in _GLOBAL and not any(address in network for network in _DISGUISES)
    else:
        usual = address not in _PROTOCOLS
    return usual and address.is_global and not address.is_multicast


@dataclass(frozen=True)
class Policy:
    """Where a download may lead."""

    allowed: Callable[[Address], bool] = public
    trust: SSLContext | None = None
    """None: the authorities that the machine trusts."""


class _Refused(OSError):
    """A name that leads to an address that is not allowed."""


class _Resolver(AbstractResolver):
    """Resolves names to allowed addresses; one that is not allowed among them spoils the name."""

    def __init__(self, allowed: Callable[[Address], bool]) -> None:
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        for *_, address in found:
            if not self._allowed(ipaddress.ip_address(str(address[0]).partition("%")[0])):
                raise _Refused(f"{host} is not public")
        return [
            ResolveResult(
                hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST
            )
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is kept open."""


class Downloads:
    """Fetches files from the internet."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._policy = policy or Policy()

    def check(self, text: str) -> URL:
        """What somebody typed, as an address that may be fetched.

        Raises:
            Invalid: it is none, not https, or leads into a private network.
        """
        try:
            url = URL(text.strip())
            host, port = url.host, url.port
        except ValueError as error:
            raise Invalid("That is no address of a file.", "It looks like https://example.org/mod.zip.") from error
        if url.scheme != "https" or not host or port is None or " " in host:
            raise Invalid("Only https addresses are fetched.", "It looks like https://example.org/mod.zip.")
        if url.user or url.password:
            raise Invalid("An address with a name or password in it is not fetched.", _REMEDY)
        if _is_literal(host) and not self._policy.allowed(ipaddress.ip_address(host)):
            raise _private()
        return url

    async def fetch(self, url: URL) -> AsyncIterator[bytes]:
        """The content of a file, in pieces.

        Raises:
            Invalid: it cannot be had, is too large, takes too long, or leads where it must not.
        """
        connector = aiohttp.TCPConnector(
            resolver=_Resolver(self._policy.allowed), ssl=self._policy.trust or True, use_dns_cache=False
        )
        patience = aiohttp.ClientTimeout(total=DEADLINE, connect=10.0, sock_read=30.0)
        try:
            async with aiohttp.ClientSession(
                connector=connector, timeout=patience, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session:
                async for chunk in self._follow(session, url):
                    yield chunk
        except _Refused as error:
            raise _private() from error
        except TimeoutError as error:
            raise Invalid(f"{url.host} did not send the file in time.", _REMEDY) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, _Refused):
                raise _private() from error
            raise _failed(url, error) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise _failed(url, error) from error

    async def _follow(self, session: aiohttp.ClientSession, url: URL) -> AsyncIterator[bytes]:
        """Redirects are followed by hand: each is judged like the first address."""
        for _ in range(REDIRECTS + 1):
            options: dict[str, Any] = {"allow_redirects": False, "headers": {"Accept-Encoding": "identity"}}
            async with session.get(url, **options) as answer:
                if answer.status in (301, 302, 303, 307, 308) and (target := answer.headers.get("Location")):
                    url = self.check(str(url.join(URL(target))))
                    continue
                _judge(url, answer)
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    yield chunk
                return
        raise Invalid(f"{url.host} redirects in circles.", _REMEDY)


def _judge(url: URL, answer: aiohttp.ClientResponse) -> None:
    if answer.status != 200:
        raise Invalid(f"{url.host} answered {answer.status}, so there is no file.", _REMEDY)
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise Invalid(f"{url.host} sends the file compressed once more.", _REMEDY)
    if (answer.content_length or 0) > PACKED_MAX:
        raise Invalid(
            f"The file is larger than {PACKED_MAX >> 20} MiB.", "Make it smaller, or split it into several mods."
        )


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _private() -> Invalid:
    return Invalid("That address leads into a private network.", _REMEDY)


def _failed(url: URL, error: Exception) -> Invalid:
    return Invalid(f"{url.host} could not be reached: {type(error).__name__}.", _REMEDY)
