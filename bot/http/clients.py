"""Who is calling: the address behind trusted proxies, the key, and how often."""

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from bot.http.errors import TooMany
from bot.services.agents import NotRecognised

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
_FORWARDED: Final = "X-Forwarded-For"
_REMEMBERED: Final = 10_000


class Proxies:
    """The networks whose `X-Forwarded-For` is believed."""

    def __init__(self, trusted: Sequence[str] = ()) -> None:
        self._trusted: list[Network] = [
            ip_network(network.strip(), strict=False) for network in trusted if network.strip()
        ]

    def client(self, request: web.Request) -> str | None:
        """The address of the caller: the last one in the chain that is no trusted proxy. None: a local socket."""
        address = _parsed(request.remote or "")
        chain = [part for header in request.headers.getall(_FORWARDED, []) for part in header.split(",")]
        while chain and (address is None or self._trusts(address)):
            if not self._trusted or (forwarded := _parsed(chain.pop())) is None:
                break
            address = forwarded
        return str(address) if address else None

    def _trusts(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip().strip("[]").split("%", 1)[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


class RateLimit:
    """At most `times` within `seconds` for each address, in this process."""

    def __init__(self, times: int, seconds: float) -> None:
        self._times, self._seconds = times, seconds
        self._recent: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, who: str) -> None:
        """Counts one request.

        Raises:
            TooMany: with the seconds to wait.
        """
        now = time.monotonic()
        recent = self._recent.setdefault(who, deque(maxlen=self._times))
        self._recent.move_to_end(who)
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        if len(recent) == self._times and (wait := recent[0] + self._seconds - now) > 0:
            raise TooMany(wait)
        recent.append(now)


def bearer(request: web.Request) -> str:
    """The key of the `Authorization` header.

    Raises:
        NotRecognised: there is none.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotRecognised("An agent key is missing.", "Send `Authorization: Bearer <agent key>`.")
    return key.strip()
