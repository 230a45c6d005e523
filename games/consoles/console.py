"""A game's console as the rest of the host uses it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from typing import Final

from games.bans import BanList, ban_list
from games.consoles.answer import Answer, PlayerRow
from games.consoles.conversation import CHARACTERS_MAX, LINES_MAX, LONG, Exchange
from games.consoles.errors import ConsoleError, LoginRefused
from games.consoles.line_tcp import ConnectionLost, LineTcp
from games.consoles.meaning import action_line, judge, player_rows
from games.consoles.quoting import refusal
from games.consoles.values import with_values
from games.resolved import ResolvedTemplate
from games.sections.actions import Action

RECORDS_MAX: Final = 1000


class Console:
    """One conversation with one game: one command in flight, connects on demand, never reuses a doubtful connection."""

    def __init__(self, resolved: ResolvedTemplate) -> None:
        """ValueError when the game has no console."""
        if resolved.console is None:
            raise ValueError(f"{resolved.game} has no console.")
        self._game = resolved
        self._console = resolved.console
        self._spec = resolved.console.spec
        self._connection: LineTcp | None = None
        self._turn = asyncio.Lock()
        self._holder: asyncio.Task[object] | None = None
        self._locked_until = 0.0
        self.records: asyncio.Queue[str] = asyncio.Queue(RECORDS_MAX)
        """What the game said unasked, secrets redacted. When nobody takes it, the oldest is dropped."""

    @property
    def connected(self) -> bool:
        """Whether somebody is listening there right now."""
        return self._connection is not None and self._connection.open

    @property
    def own_address(self) -> str | None:
        """Where the game sees us come from; None while there is no connection."""
        return self._connection.own_address if self._connection is not None else None

    async def connect(self) -> None:
        """Connect and log in unless that is done. ConsoleError with a sentence when it cannot be."""
        async with self._turn:
            await self._connected()

    async def close(self) -> None:
        """Hang up. The next command connects again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @asynccontextmanager
    async def one_turn(self, *, timeout: float = 10) -> AsyncGenerator[None]:
        """Nobody else's command comes between those given inside: what a list has said still holds for the next one.

        Raises:
            TimeoutError: others kept the console busy for that long.
        """
        async with asyncio.timeout(timeout):
            await self._turn.acquire()
        self._holder = asyncio.current_task()
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()

    def _my_turn(self) -> AbstractAsyncContextManager[None]:
        return nullcontext() if self._holder is asyncio.current_task() else self._turn

    async def command(self, line: str, values: Mapping[str, str] | None = None, *, timeout: float = 10) -> Answer:
        """A person's own line, with values for its `{{name}}`. What the game says to it is the answer, whatever it
        says."""
        try:
            command = (with_values(self._spec, line, values) if values else line).strip(" \t")
        except ValueError as error:
            return Answer("refused", reason=str(error))
        if reason := refusal(self._spec, command):
            return Answer("refused", reason=reason)
        ending = [a for a in self._game.actions.values() if a.closes and a.send == command]
        return await self._ask(command, timeout, ending[0] if ending else None)

    async def action(self, name: str, values: Mapping[str, str] | None = None, *, timeout: float = 10) -> Answer:
        """Something that the template describes, e.g. `kick` with `slot` and `reason`. The answer is judged."""
        action = self._game.actions.get(name)
        if action is None:
            return Answer("refused", reason=f"{self._game.game} cannot do `{name}`.")
        given = dict(values or {})
        try:
            line = action_line(self._spec, self._game.identity, action, given)
        except ValueError as error:
            return Answer("refused", reason=str(error))
        answer = await self._ask(line, timeout, action)
        return judge(self._spec, action, given, answer.lines) if answer.outcome == "answered" else answer

    async def players(self, *, timeout: float = 10) -> tuple[list[PlayerRow], bool]:
        """Who is on, and whether these are all. ([], False) when the game could not be asked."""
        listing = self._game.players
        if listing is None:
            return [], False
        answer = await self._ask(listing.send, timeout)
        if answer.outcome != "answered":
            return [], False
        return player_rows(listing, self._game.identity, answer.lines)

    async def bans(self, *, timeout: float = 10) -> BanList:
        """Whom the game keeps out. Incomplete when it could not be asked, or said what is not understood."""
        listing = self._game.bans
        if listing is None:
            return BanList()
        asked = datetime.now(UTC)
        answer = await self._ask(listing.send, timeout, most=LONG)
        if answer.outcome != "answered":
            return BanList()
        return ban_list(listing, self._game.identity, answer.lines, asked)

    async def _ask(
        self,
        line: str,
        timeout: float,
        action: Action | None = None,
        *,
        most: tuple[int, int] = (LINES_MAX, CHARACTERS_MAX),
    ) -> Answer:
        """Send one line within `timeout` seconds, waiting for one's turn included."""
        closes = action is not None and action.closes
        enough = action.ok if action and closes else None
        exchange = Exchange(self._spec, line, secrets.token_hex(8), enough, most)
        sent = False
        try:
            async with asyncio.timeout(timeout), self._my_turn():
                connection = await self._connected()
                await connection.ready_to_send(len(exchange.send))
                sent = True
                await self._complete(connection, exchange)
        except ConsoleError as error:
            return Answer("refused", reason=str(error))
        except TimeoutError:
            return self._late(exchange, timeout, sent=sent)
        except ConnectionLost:
            if not closes:
                return Answer("unknown", self._lines(exchange), "The console hung up before the answer was complete.")
        return Answer("answered", self._lines(exchange))

    def _late(self, exchange: Exchange, timeout: float, *, sent: bool) -> Answer:
        if not sent:
            return Answer("refused", reason=f"The console took nothing within {timeout:g} seconds: not sent.")
        return Answer("unknown", self._lines(exchange), f"The game did not answer within {timeout:g} seconds.")

    async def _complete(self, connection: LineTcp, exchange: Exchange) -> None:
        """Ask, and drop the connection however that ends before its fence: late answers must reach nobody."""
        try:
            await connection.ask(exchange)
        finally:
            if not exchange.fenced:
                await self.close()

    async def _connected(self) -> LineTcp:
        if self._connection is not None and self._connection.open:
            return self._connection
        await self.close()
        loop = asyncio.get_running_loop()
        if loop.time() < self._locked_until:
            raise LoginRefused("The game's console refused the password a moment ago; it is not asked again yet.")
        try:
            self._connection = await LineTcp.connect(self._console, self._record)
        except LoginRefused:
            self._locked_until = loop.time() + self._spec.login.retry
            raise
        return self._connection

    def _lines(self, exchange: Exchange) -> tuple[str, ...]:
        return tuple(self._game.redact(line) for line in exchange.lines)

    def _record(self, record: str) -> None:
        if not record.strip():
            return
        if self.records.full():
            self.records.get_nowait()
        self.records.put_nowait(self._game.redact(record))
