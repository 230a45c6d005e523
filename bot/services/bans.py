"""Cases as people look them up: one with its receipts and history, lists, suggestions, one's own."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from bot.domain.actors import Actor
from bot.errors import Invalid, NotFound
from bot.services.servers import PAGE, Page, resolve
from db.engine import Database
from db.queries import bans
from db.queries.bans import Case, Event, OwnBan, Receipt


@dataclass(frozen=True)
class CaseFile:
    """A case with what every server has of it; `history` newest first."""

    case: Case
    receipts: list[Receipt]
    history: list[Event]


class Bans:
    """Look-ups of cases."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def show(self, actor: Actor, ref: str) -> CaseFile:
        """One case, for staff."""
        number = number_of(ref)
        async with self._db.read() as session:
            case = await bans.case(session, actor.org, number=number)
            if case is None:
                raise no_such_case(number)
            receipts = await bans.receipts(session, actor.org, case.id)
            return CaseFile(case, receipts, await bans.history(session, actor.org, case.id))

    async def notice(self, org_id: UUID, ban_id: str) -> CaseFile | None:
        """What the public notice of a case is made of."""
        async with self._db.read() as session:
            case = await bans.case(session, org_id, ban_id=ban_id)
            return CaseFile(case, await bans.receipts(session, org_id, case.id), []) if case else None

    async def list(self, actor: Actor, *, status: str = "", server: str = "", page: int = 0) -> Page[Case]:
        """Newest first. `status`: one status, or empty for all."""
        async with self._db.read() as session:
            server_id = (await resolve(session, actor.org, server)).id if server else None
            rows = await bans.cases(
                session, actor.org, status=status or None, server_id=server_id, limit=PAGE + 1, offset=page * PAGE
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str, *, status: str = "") -> list[Case]:
        """For autocompletes: the newest cases whose number or name contains the words."""
        if not (actor.may("bans.view") or actor.may("bans.revoke")):
            return []
        wanted = words.strip().lower().removeprefix("b-")
        async with self._db.read() as session:
            return await bans.cases(session, actor.org, status=status or None, words=wanted or None, limit=25)

    async def mine(self, actor: Actor, page: int = 0) -> Page[OwnBan]:
        """The asker's own bans: in this org, or in every one where they ask in a direct message."""
        async with self._db.read() as session:
            rows = await bans.mine(session, actor.user_id, actor.org_id, limit=PAGE + 1, offset=page * PAGE)
        return Page(rows[:PAGE], page, len(rows) > PAGE)


def number_of(text: str) -> int:
    """The number in `B-12` or `12`.

    Raises:
        Invalid: it is none.
    """
    digits = text.strip().upper().removeprefix("B-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        raise Invalid("That is no number of a ban.", "Such as `B-12`; `/ban list` shows them.")
    return int(digits)


def no_such_case(number: int) -> NotFound:
    """For a case of another org, too."""
    return NotFound(f"There is no ban B-{number} here.", "`/ban list` shows what there is.")
