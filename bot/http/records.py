"""Where hosts stream the records of their games' logs to. Too much at once is told to come back, not queued here."""

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from aiohttp import web

from agent import wire
from bot.http.bodies import read
from bot.http.clients import Proxies, bearer
from bot.http.errors import TooMany, promptly
from bot.services.agents import Agents
from bot.services.records import OutOfStep, Records

AT_ONCE: Final = 4
"""Batches under way in this process: each holds a connection, and people's commands need some too."""
PER_SECOND: Final = 1_000
"""Records that one host may send in the long run."""
BURST: Final = 30_000
"""Records that one host may send at once: what it has kept while nobody answered."""
_BUSY_SECONDS: Final = 1.0


@dataclass
class Allowance:
    """What one host may still send."""

    records: float = BURST
    at: float = 0.0

    def take(self, records: int) -> float:
        """Seconds to wait first; 0: it was taken."""
        now = time.monotonic()
        self.records = min(BURST, self.records + (now - self.at) * PER_SECOND)
        self.at = now
        if self.records < records:
            return (records - self.records) / PER_SECOND
        self.records -= records
        return 0.0


class RecordsApi:
    """`POST /agent/v1/records`."""

    def __init__(self, agents: Agents, records: Records, proxies: Proxies) -> None:
        self._agents = agents
        self._records = records
        self._proxies = proxies
        self._under_way = 0
        self._allowances: defaultdict[UUID, Allowance] = defaultdict(Allowance)

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/agent/v1/records", self.records)]

    async def records(self, request: web.Request) -> web.Response:
        """Answered after the commit; a batch that was written already is answered like one that is new."""
        host = await promptly(self._agents.authenticate(bearer(request), self._proxies.client(request)))
        batch = await read(request, wire.Records, limit=wire.RECORDS_BYTES)
        if self._under_way >= AT_ONCE:
            raise TooMany(_BUSY_SECONDS)
        if wait := self._allowances[host.id].take(len(batch.records)):
            raise TooMany(wait)
        self._under_way += 1
        try:
            answer = wire.RecordsAnswer(accepted=await promptly(self._records.take(host, batch)))
        except OutOfStep as error:
            return web.json_response(wire.RecordsExpected(expected=error.expected).dump(), status=409)
        finally:
            self._under_way -= 1
        return web.json_response(answer.dump())
