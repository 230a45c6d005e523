"""The audit log: who did what, with which outcome."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot import clock
from bot.domain.actors import Actor
from bot.domain.durations import parse as parse_duration
from bot.errors import Invalid, NotFound
from db.engine import Database
from db.queries import audit
from db.queries.audit import AuditEntry, Filter

PAGE = 10


@dataclass(frozen=True)
class AuditPage:
    """Ten entries and, where there are more, the id to go on from."""

    rows: list[AuditEntry]
    wanted: Filter
    next: int | None


class Audit:
    """Look-ups in the audit log of an org."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def search(self, actor: Actor, wanted: Filter, before: int | None = None) -> AuditPage:
        """Entries newest first, ten at a time."""
        async with self._db.read() as session:
            rows = await audit.search(session, actor.org, wanted, before=before, limit=PAGE + 1)
        return AuditPage(rows[:PAGE], wanted, rows[PAGE - 1].id if len(rows) > PAGE else None)

    async def show(self, actor: Actor, entry_id: int) -> AuditEntry:
        """One entry, whole."""
        async with self._db.read() as session:
            found = await audit.entry(session, actor.org, entry_id)
        if found is None:
            raise NotFound("There is no such entry here.", "`/audit search` lists them with their numbers.")
        return found


def since(text: str) -> datetime | None:
    """`24h`, `7d`: the moment from which on entries count; None for an empty text.

    Raises:
        Invalid: it is not a duration.
    """
    if not text.strip():
        return None
    try:
        return clock.now() - parse_duration(text)
    except ValueError as error:
        raise Invalid(str(error), "Such as `24h`, `7d` or `2w`.") from error


def target(text: str) -> UUID | None:
    """The id of what somebody looks for; None for an empty text."""
    if not text.strip():
        return None
    try:
        return UUID(text.strip())
    except ValueError as error:
        raise Invalid("The target is not one of the suggestions.", "Pick a server from the list.") from error
