"""The audit log: who did what, with which outcome."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.access import Scope
from bot.domain.actors import Actor
from bot.domain.durations import parse as parse_duration
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services.servers import VIEW
from db.engine import Database
from db.queries import access, audit, audit_targets
from db.queries.audit import AuditEntry, Filter, Refused
from db.queries.audit_targets import Target

PAGE: Final = 10
OFTEN: Final = 5
"""So many refusals of one person in an hour are pointed out."""
_HOUR: Final = timedelta(hours=1)
_REFERENCE_LENGTH: Final = 12
"""References are hexadecimal ids of Discord, and so longer than any number of an entry."""
EVERYTHING: Final = Scope(True)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class AuditPage:
    """Ten entries and, where there are more, the id to go on from."""

    rows: list[AuditEntry]
    wanted: Filter
    next: int | None
    first: bool = True


@dataclass(frozen=True)
class DeniedPage:
    """Ten refusals, and who was refused again and again within the last hour."""

    page: AuditPage
    often: list[Refused]


class Audit:
    """Look-ups in the audit log of an org. Whoever may read it for single servers only reads what was done to these."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def search(self, actor: Actor, wanted: Filter, before: int | None = None) -> AuditPage:
        """Entries newest first, ten at a time."""
        return await self._page(actor, wanted, sight_of(actor), before)

    async def _page(self, actor: Actor, wanted: Filter, sight: Scope, before: int | None) -> AuditPage:
        async with self._db.read() as session:
            rows = await audit.page(session, actor.org, wanted, sight, before=before, limit=PAGE + 1)
        return _paged(rows, wanted, before)

    async def show(self, actor: Actor, ref: str) -> AuditEntry:
        """One entry, whole: by its number, or by the reference that an answer ended with."""
        number, interaction = _number_or_reference(ref)
        async with self._db.read() as session:
            found = await audit.entry(session, actor.org, number=number, interaction=interaction)
        sight = sight_of(actor)
        if found is None or not (sight.everywhere or _on_one_of(found, sight)) or _is_hidden(found, sight):
            raise NotFound("There is no such entry here.", "`/audit search` lists them with their numbers.")
        return found

    async def suggest(self, actor: Actor, words: str) -> Sequence[AuditEntry]:
        """For autocompletes: the newest entries whose number or action begins like that."""
        if not actor.may("audit.view"):
            return []
        wanted = Filter(action=words.strip().lower() or None)
        if words.strip().isdecimal():
            wanted = Filter()
        async with self._db.read() as session:
            found = await audit.page(session, actor.org, wanted, sight_of(actor), limit=25)
        return [entry for entry in found if not words.strip().isdecimal() or str(entry.id).startswith(words.strip())]

    async def suggest_targets(self, actor: Actor, words: str) -> Sequence[Target]:
        """For autocompletes: servers, hosts, players and members by name."""
        if not actor.may("audit.view"):
            return []
        sight = sight_of(actor)
        async with self._db.read() as session:
            found = await audit_targets.suggest(session, actor.org, words.strip())
        return [one for one in found if (sight.covers(one.id) if one.kind == "server" else sight.everywhere)]

    async def target(self, actor: Actor, ref: str) -> audit.Target | None:
        """What somebody looks for: a suggestion's value, an id or a name; None for an empty text.

        Raises:
            NotFound, Conflict: there is none, or several are called that.
        """
        words = ref.strip()
        if not words:
            return None
        kind, _, rest = words.rpartition(":")
        async with self._db.read() as session:
            try:
                found = await audit_targets.by_id(session, actor.org, UUID(rest))
            except ValueError:
                found = await audit_targets.by_name(session, actor.org, words)
        found = [one for one in found if not kind or one.kind == kind]
        if len(found) > 1:
            kinds = ", ".join(sorted({one.kind for one in found}))
            raise Conflict(f"{len(found)} are called {safe(words)} ({kinds}).", "Pick one of the suggestions.")
        if not found:
            raise NotFound(f"There is no {safe(words)} here.", "Pick one of the suggestions.")
        return found[0].kind, str(found[0].id)

    async def denied(self, actor: Actor, before: int | None = None) -> DeniedPage:
        """What was refused because a permission was missing, newest first, and to whom that happens a lot.

        Raises:
            NotPermitted: a refusal belongs to no server, so a permission for single servers is not enough.
        """
        since = clock.now() - _HOUR
        async with self._db.read() as session:
            decision = actor.grants.decide("security.logs", None, actor.at)
            if not decision.allowed:
                raise await access.refusal(session, actor.org, "security.logs", decision)
            wanted = Filter(outcome="denied")
            rows = await audit.page(session, actor.org, wanted, EVERYTHING, before=before, limit=PAGE + 1)
            often = await audit.refused_often(session, actor.org, since, OFTEN) if before is None else []
        return DeniedPage(_paged(rows, wanted, before), often)

    async def mine(self, actor: Actor, before: int | None = None) -> AuditPage:
        """What the asker did: in this org, or in every one where they ask in a direct message."""
        if actor.org_id is not None:
            return await self._page(actor, Filter(by=actor.discord_id), EVERYTHING, before)
        if actor.user_id is None:
            return AuditPage([], Filter(), None)
        async with self._db.read() as session:
            rows = await audit.own(session, actor.user_id, before=before, limit=PAGE + 1)
        return _paged(rows, Filter(), before)

    async def live(self, org_id: UUID, ids: list[int]) -> Sequence[AuditEntry]:
        """Entries for the channel that shows them as they come, oldest first."""
        async with self._db.read() as session:
            return await audit.entries(session, org_id, ids)


def sight_of(actor: Actor, permission: str = "audit.view") -> Scope:
    """The servers about which somebody may read. Who is denied the sight of one does not see it here either; who sees
    no servers as such may still be there to read the log."""
    read = actor.scope(permission)
    seen = actor.scope(VIEW)
    return read if read.everywhere and not seen.everywhere else read & seen


def _paged(rows: list[AuditEntry], wanted: Filter, before: int | None) -> AuditPage:
    return AuditPage(rows[:PAGE], wanted, rows[PAGE - 1].id if len(rows) > PAGE else None, before is None)


def _on_one_of(entry: AuditEntry, sight: Scope) -> bool:
    return entry.resource_type == "server" and entry.resource_id in {str(server) for server in sight.others}


def _is_hidden(entry: AuditEntry, sight: Scope) -> bool:
    return sight.everywhere and _on_one_of(entry, sight)


def _number_or_reference(ref: str) -> tuple[int, int]:
    """(number of an entry, id of an interaction); the one that it is not is 0, which nothing has."""
    words = ref.strip().strip("`#").lower()
    try:
        if len(words) >= _REFERENCE_LENGTH:
            return 0, _in_range(int(words, 16))
        return _in_range(int(words)), 0
    except ValueError as error:
        raise Invalid("That is no number of an entry, and no reference.", "`/audit search` lists them.") from error


def _in_range(number: int) -> int:
    if not 0 < number < 2**63:
        raise ValueError("too large")
    return number


def moment(text: str) -> datetime | None:
    """`24h`, `7d`: the moment that long ago; `2026-11-01`: the beginning of that day (UTC); None for an empty text.

    Raises:
        Invalid: it is neither.
    """
    words = text.strip()
    if not words:
        return None
    if _DAY.fullmatch(words):
        try:
            return datetime.fromisoformat(words).replace(tzinfo=UTC)
        except ValueError as error:
            raise Invalid(f"There is no day {words}.", "Such as `2026-11-01`.") from error
    try:
        return clock.now() - parse_duration(words)
    except (ValueError, OverflowError) as error:
        raise Invalid(str(error), "Such as `24h`, `7d`, `2w`, or a day such as `2026-11-01`.") from error
