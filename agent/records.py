"""Streams what the games log to the bot: read, cut into records, kept on disk, sent until acknowledged."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from agent.http import OutOfStep, Refused, Unavailable
from agent.link import Link
from agent.records_cutting import Cutter
from agent.records_spool import BUDGET, RecordSpool
from agent.results import FINAL
from agent.runtime.server import GameServer, LogSource
from agent.runtime.trail import Trail, end_of
from agent.servers import Servers

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the logs. A record waits one look for lines that belong to it, and then it is sent."""
BEHIND: Final = 8
"""Batches waiting from which on logs are looked at less often, so that the batches are fuller."""
LOOK_EVERY_BEHIND: Final = 5.0
LOOK_AFTER_BUG: Final = 60.0
LOOK_AT_MOST: Final = 2.0
"""Seconds of one look: a game may log faster than it is read, and there are others."""
BEFORE_START_AT_MOST: Final = 20.0
"""Seconds that a start waits for what was logged before."""
RESOLVE_EVERY: Final = 5.0
"""Seconds for which it is taken for granted how a log is read; a start asks anew."""
TURN: Final = 8
"""Batches that one server may send before it is another one's turn."""
DIRECTORY: Final = "records"


@dataclass
class _Reading:
    """Where the reading of a log is, between two looks."""

    trail: Trail
    cutter: Cutter


class Stream:
    """The records of one server."""

    def __init__(self, server_id: UUID, directory: Path, *, budget: int = BUDGET) -> None:
        self.server_id = server_id
        self.spool = RecordSpool(directory, budget=budget)
        self.spool.open()
        self.lock = asyncio.Lock()
        """Reading and sending take turns on the spool."""
        self.next_look = 0.0
        """On the clock of `time.monotonic`."""
        self.corrected = False
        """Whether the bot named another number for the head, and has not taken it under that one."""
        self._reading: _Reading | None = None
        self._source: LogSource | None = None
        self._asked = 0.0

    def look(self, server: GameServer) -> None:
        """Read what was logged since the last look, and keep it."""
        if self._source is None or time.monotonic() - self._asked >= RESOLVE_EVERY:
            self._source, self._asked = server.log_source(), time.monotonic()
        if self._source is not None:
            self._look(self._source, LOOK_AT_MOST)
        self.next_look = time.monotonic() + (LOOK_EVERY_BEHIND if len(self.spool) >= BEHIND else 0.0)

    def look_before_start(self, server: GameServer) -> None:
        """Read to the end: a game may begin its log anew. What it writes from then on may hold other secrets, so that
        what cannot be read in time is given up."""
        source, self._source = self._source or server.log_source(), None
        if source is not None and not self._look(source, BEFORE_START_AT_MOST, all_of_it=True):
            self._reading = None
            self.spool.give_up(end_of(source.files()))

    def _look(self, source: LogSource, seconds: float, *, all_of_it: bool = False) -> bool:
        """Whether nothing is left that should be read now."""
        if not self.spool.begun:
            self.spool.begin(source.begin())
        reading, self._reading = self._reading or self._begin(source), None
        reading.cutter.redact, reading.cutter.ours = source.redact, source.ours
        try:
            done = self._read(reading, time.monotonic() + seconds, all_of_it=all_of_it)
        except OSError as error:
            log.error("records of %s cannot be kept (%s); reading them later", self.server_id, error.strerror)
            return True
        self._reading = reading  # otherwise what was read and not kept is read again
        return done

    def _read(self, reading: _Reading, until: float, *, all_of_it: bool) -> bool:
        """While a lot waits to be sent, it may as well wait in the log; unless that is about to go."""
        quiet = True
        while all_of_it or self.spool.roomy or reading.trail.endangered():
            lines = reading.trail.read()
            if not lines and (quiet or all_of_it):
                self.spool.add(reading.cutter.rest())
            if not lines:
                return True
            self.spool.add(reading.cutter.feed(lines))
            quiet = False
            if time.monotonic() > until:
                return False
        return True

    def _begin(self, source: LogSource) -> _Reading:
        trail = Trail(source.files, self.spool.position(), joined=source.joined)
        return _Reading(trail, Cutter(source.log, source.redact, source.ours, lambda: datetime.now(UTC)))


class Streams:
    """The records of every server of this host, those included that are this host's no longer."""

    def __init__(self, state_dir: Path, link: Link, servers: Servers) -> None:
        self._directory = state_dir / DIRECTORY
        self._link = link
        self._servers = servers
        self._streams: dict[UUID, Stream] = {}
        self._due = asyncio.Event()

    def open(self) -> None:
        """Find what an earlier agent has not sent."""
        for path in self._directory.glob("*"):
            try:
                self._stream(UUID(path.name))
            except ValueError:
                continue  # somebody else put it there

    async def look(self) -> None:
        """One look at every log, and the wait until the next."""
        for server in self._servers.each():
            stream = self._stream(server.spec.id)
            server.on_start(partial(self._look, stream, server, stream.look_before_start))
            if time.monotonic() >= stream.next_look:
                await self._look(stream, server, stream.look)
        await self._forget()
        await asyncio.sleep(LOOK_EVERY)

    async def send(self) -> None:
        """Send all there is, then wait until there is more. Raises a `LinkError` when something is left."""
        self._due.clear()
        await self.flush()
        await self._due.wait()

    async def flush(self) -> None:
        """Send all there is. One server's batch that the bot chokes on does not keep the others back."""
        failed: Unavailable | None = None
        waiting = list(self._streams.values())
        while waiting:
            for stream in list(waiting):
                try:
                    if await self._turn(stream):
                        continue
                except Unavailable as error:
                    failed = error
                    if error.status in (None, 429):
                        raise
                waiting.remove(stream)
        if failed:
            raise failed

    def _stream(self, server_id: UUID) -> Stream:
        if server_id not in self._streams:
            self._streams[server_id] = Stream(server_id, self._directory / str(server_id))
        return self._streams[server_id]

    async def _look(self, stream: Stream, server: GameServer, look: Callable[[GameServer], None]) -> None:
        try:
            async with stream.lock:
                await asyncio.to_thread(look, server)
        except Exception:  # one server's trouble must not keep the others' records back, nor a game from starting
            log.exception("the log of %s cannot be read", server.spec.slug)
            stream.next_look = time.monotonic() + LOOK_AFTER_BUG
        if len(stream.spool):
            self._due.set()

    async def _forget(self) -> None:
        """What was sent to the end of a server that was removed from this host."""
        for server_id, stream in list(self._streams.items()):
            if not self._servers.knows(server_id) and not len(stream.spool):
                await self._locked(stream, stream.spool.remove)
                del self._streams[server_id]

    async def _turn(self, stream: Stream) -> bool:
        """Whether there is more."""
        for _ in range(TURN):
            if not await self._send_one(stream):
                return False
        return True

    async def _send_one(self, stream: Stream) -> bool:
        batch = await self._locked(stream, lambda: stream.spool.head(stream.server_id))
        if batch is None:
            return False
        try:
            await self._link.records(batch)
        except OutOfStep as error:
            log.warning("the bot expects batch %d of %s, not %d", error.expected, stream.server_id, batch.seq)
            await self._locked(stream, partial(stream.spool.expect, error.expected))
            if stream.corrected:
                raise Unavailable(f"{error}, again and again", status=error.status) from None
            stream.corrected = True
        except Refused as error:
            if error.status not in FINAL:
                raise
            await self._refused(stream, error)
        else:
            stream.corrected = False
            await self._locked(stream, stream.spool.sent)
        return True

    async def _refused(self, stream: Stream, error: Refused) -> None:
        log.warning("the bot does not want records of %s: %s", stream.server_id, error)
        await self._locked(stream, partial(stream.spool.sent, numbered=False))

    @staticmethod
    async def _locked(stream: Stream, work: Callable[[], T]) -> T:
        async with stream.lock:
            return await asyncio.to_thread(work)
