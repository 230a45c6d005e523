"""Cases as people look them up: one with its receipts and history, lists, suggestions, one's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from bot.domain.access import Scope
from bot.domain.actors import Actor
from bot.errors import Invalid, NotFound
from bot.services.servers import PAGE, Page, must_see, seen
from db.engine import Database
from db.queries import bans
from db.queries.bans import Case, Event, OwnBan, Receipt

_VIEW: Final = "bans.view"


@dataclass(frozen=True)
class CaseFile:
    """A case with what every server has of it; `history` newest first."""

    case: Case
    receipts: list[Receipt]
    history: list[Event]
    may_lift: bool = False
    """Its reader may end it, on every server that it is about."""


class Bans:
    """Look-ups of cases."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def show(self, actor: Actor, ref: str) -> CaseFile:
        """One case, for staff, with the servers that they see."""
        number = number_of(ref)
        async with self._db.read() as session:
            case = await bans.case(session, actor.org, number=number)
            if case is None:
                raise no_such_case(number)
            receipts = await bans.receipts(session, actor.org, case.id)
            scope = actor.sight(_VIEW)
            shown = [one for one in receipts if scope.covers(one.server_id)]
            if receipts and not shown:
                await must_see(session, actor, _VIEW, receipts[0].server_id)
            applied = sum(one.sync_status == "synced" for one in shown)
            history = [_told(event, scope) for event in await bans.history(session, actor.org, case.id)]
            lifts, about = actor.scope("bans.revoke"), [one.server_id for one in receipts]
            may_lift = all(map(lifts.covers, [*about, None] if case.everywhere or not about else about))
            return CaseFile(replace(case, servers=len(shown), applied=applied), shown, history, may_lift)

    async def notice(self, org_id: UUID, ban_id: str) -> CaseFile | None:
        """What the public notice of a case is made of."""
        async with self._db.read() as session:
            case = await bans.case(session, org_id, ban_id=ban_id)
            return CaseFile(case, await bans.receipts(session, org_id, case.id), []) if case else None

    async def list(self, actor: Actor, *, status: str = "", server: str = "", page: int = 0) -> Page[Case]:
        """Newest first. `status`: one status, or empty for all."""
        async with self._db.read() as session:
            server_id = (await seen(session, actor, server, _VIEW)).id if server else None
            rows = await bans.cases(
                session,
                actor.org,
                scope=actor.sight(_VIEW),
                status=status or None,
                server_id=server_id,
                limit=PAGE + 1,
                offset=page * PAGE,
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def suggest(self, actor: Actor, words: str, *, status: str = "") -> list[Case]:
        """For autocompletes: the newest cases whose number or name contains the words."""
        scope = actor.sight(_VIEW if actor.may(_VIEW) else "bans.revoke")
        if scope.nowhere:
            return []
        wanted = words.strip().lower().removeprefix("b-")
        async with self._db.read() as session:
            return await bans.cases(
                session, actor.org, scope=scope, status=status or None, words=wanted or None, limit=25
            )

    async def mine(self, actor: Actor, page: int = 0) -> Page[OwnBan]:
        """The asker's own bans: in this org, or in every one where they ask in a direct message."""
        async with self._db.read() as session:
            rows = await bans.mine(session, actor.user_id, actor.org_id, limit=PAGE + 1, offset=page * PAGE)
        return Page(rows[:PAGE], page, len(rows) > PAGE)


def _told(event: Event, scope: Scope) -> Event:
    """A line of a history, without the name of a server that the reader does not see."""
    server = event.details.get("serverId")
    if server is None or scope.covers(UUID(server)):
        return event
    return replace(event, details={key: value for key, value in event.details.items() if key != "server"})


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
