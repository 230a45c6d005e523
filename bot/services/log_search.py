"""Looking for words in the logs of games."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot import clock
from bot.domain.actors import Actor
from bot.errors import Invalid, Unavailable
from bot.services.audit import moment
from bot.services.servers import PAGE, seen
from db.engine import Database
from db.queries import logs
from db.queries.cards import ServerCard
from db.queries.logs import FoundLine

FEWEST, MOST = 2, 30
"""Characters to look for: one is in every line, and more would not fit into the button of the next page."""
_SINCE: Final = timedelta(hours=24)
_NEWEST: Final = 2**62
_AHEAD: Final = timedelta(days=1)


@dataclass(frozen=True)
class LogPage:
    """Lines of one server's log, newest first."""

    server: ServerCard
    words: str
    since: datetime
    rows: list[FoundLine]
    more: bool


class LogSearch:
    """Look-ups in what games wrote."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def search(self, actor: Actor, ref: str, words: str, since_text: str) -> LogPage:
        """The newest lines with these words, of the last day unless it is said since when.

        Raises:
            NotFound, NotPermitted, Invalid, Unavailable: no such server, not allowed, nothing to look for, too much.
        """
        since = moment(since_text) or clock.now() - _SINCE
        return await self.page(actor, ref, words, since, (clock.now() + _AHEAD, _NEWEST))

    async def page(self, actor: Actor, ref: str, words: str, since: datetime, before: tuple[datetime, int]) -> LogPage:
        """The next lines, older than the last one that was shown (its time and id)."""
        if not FEWEST <= len(wanted := words.strip()) <= MOST:
            raise Invalid(
                f"That is nothing to look for: {FEWEST} to {MOST} characters.", "Type a name or a part of it."
            )
        try:
            async with self._db.read() as session:
                server = await seen(session, actor, ref, "logs.view")
                rows = await logs.search(
                    session, actor.org, server.id, wanted, since=since, before=before, limit=PAGE + 1
                )
        except Unavailable as error:
            raise Unavailable(error.what, "If this log is long, look at less of it, such as since: 1h.") from error
        return LogPage(server, wanted, since, rows[:PAGE], len(rows) > PAGE)
