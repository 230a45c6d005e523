"""Counts wrong passwords for each remote address."""

import time
from collections.abc import Callable


class LoginGuard:
    """`limit` wrong passwords shut an address out for `block_seconds`; a limit of 0 never does."""

    def __init__(self, limit: int, block_seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._block_seconds = block_seconds
        self._now = now
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    def blocked(self, ip: str) -> bool:
        return self._until.get(ip, 0.0) > self._now()

    def failed(self, ip: str) -> bool:
        """Count a wrong password. True when it was one too many: the address is blocked from now on."""
        self._failures[ip] = self._failures.get(ip, 0) + 1
        if not self._limit or self._failures[ip] < self._limit:
            return False
        del self._failures[ip]
        self._until[ip] = self._now() + self._block_seconds
        return True

    def succeeded(self, ip: str) -> None:
        self._failures.pop(ip, None)
