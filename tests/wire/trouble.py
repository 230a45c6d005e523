"""What goes wrong at Discord on request: refusals, limits, requests that stand still."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from tests.wire.messages import Refusal

API: Final = "/api/v10"
POST: Final = r"POST /channels/\d+/messages"
"""A message of the bot's own. For one channel, put its id in the place of the digits."""
EDIT: Final = r"PATCH /channels/\d+/messages/\d+"


def posts_to(channel_id: int) -> str:
    """Messages of the bot's own in one channel."""
    return POST.replace(r"\d+", str(channel_id))


@dataclass
class Hold:
    """Requests that wait: before anything was done, or (`after`) when all was done and only the answer is missing."""

    pattern: re.Pattern[str]
    after: bool
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False

    async def until_arrived(self, seconds: float = 20.0) -> None:
        """Waits until a request stands still here."""
        await asyncio.wait_for(self.arrived.wait(), seconds)

    def release(self) -> None:
        """Lets it go on, and every later one with it."""
        self.released.set()

    def lose(self) -> None:
        """Lets it go nowhere: nothing is done, nobody is answered. Later ones go on."""
        self.lost = True
        self.released.set()

    async def wait(self) -> None:
        """Where a request stands still. Raises `Refusal` for one that is lost."""
        if self.released.is_set():
            return
        self.arrived.set()
        await self.released.wait()
        if self.lost:
            raise Refusal(502, 0, "lost on its way")


@dataclass
class Failure:
    """An error for the next `times` requests."""

    pattern: re.Pattern[str]
    refusal: Refusal
    times: int
    through_proxy: bool = True


@dataclass
class Trouble:
    """Looks at every request. `requests`: all that came in, in that order, each with the status of its answer."""

    requests: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    _failures: list[Failure] = field(default_factory=list[Failure])
    _holds: list[Hold] = field(default_factory=list[Hold])

    def refuse(
        self, pattern: str, status: int, code: int = 0, *, times: int = 1, retry_after: float | None = None
    ) -> None:
        """Answers with an error; nothing is done."""
        refusal = Refusal(status, code, "refused by the test", retry_after)
        self._failures.append(Failure(re.compile(pattern), refusal, times))

    def limit(self, pattern: str, retry_after: float, *, times: int = 1, through_proxy: bool = True) -> None:
        """Answers 429. Without `through_proxy` it is Cloudflare that answers, and discord.py gives up at once."""
        refusal = Refusal(429, 0, "You are being rate limited.", retry_after)
        self._failures.append(Failure(re.compile(pattern), refusal, times, through_proxy))

    def hold(self, pattern: str, *, after: bool = False) -> Hold:
        """Lets matching requests stand still until they are released."""
        self._holds.append(hold := Hold(re.compile(pattern), after))
        return hold

    def release(self) -> None:
        """Lets everything go on."""
        for hold in self._holds:
            hold.release()

    def count(self, pattern: str, status: int | None = None) -> int:
        """How many requests came in, with this status if it is given."""
        return sum(bool(re.fullmatch(pattern, line)) and status in (None, answered) for line, answered in self.requests)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Between the wire and Discord."""
        line = f"{request.method} {request.path.removeprefix(API)}"
        await request.read()  # it has arrived as a whole, whatever becomes of its sender
        place = len(self.requests)
        self.requests.append((line, 0))
        try:
            await self._stand(line, after=False)
            if failure := self._failing(line):
                answer = _error(failure.refusal, through_proxy=failure.through_proxy)
            else:
                answer = await handler(request)
                await self._stand(line, after=True)
        except Refusal as refusal:
            answer = _error(refusal)
        self.requests[place] = (line, answer.status)
        return answer

    async def _stand(self, line: str, *, after: bool) -> None:
        for hold in self._holds:
            if hold.after is after and hold.pattern.fullmatch(line):
                await hold.wait()

    def _failing(self, line: str) -> Failure | None:
        for failure in self._failures:
            if failure.times and failure.pattern.fullmatch(line):
                failure.times -= 1
                return failure
        return None


def reply(value: Any, status: int = 200, **headers: str) -> web.Response:
    """discord.py reads nothing as JSON whose type says more than this, a charset for instance."""
    return web.Response(
        status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **headers}
    )


def _error(refusal: Refusal, *, through_proxy: bool = True) -> web.Response:
    body: dict[str, Any] = {"message": str(refusal), "code": refusal.code}
    if refusal.retry_after is None:
        return reply(body, refusal.status)
    via = {"Via": "1.1 google"} if through_proxy else {}
    waits = {"Retry-After": str(refusal.retry_after)}
    return reply({**body, "retry_after": refusal.retry_after, "global": False}, refusal.status, **waits, **via)
