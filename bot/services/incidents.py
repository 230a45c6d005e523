"""Incidents as people work on them: looked up, acknowledged, resolved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from bot import clock
from bot.domain.actors import Actor
from bot.domain.words import safe
from bot.errors import Conflict, Invalid, NotFound
from bot.services import incident_flow
from bot.services.servers import PAGE, Page, must_see
from db.engine import Database
from db.queries import incident_cards, incidents
from db.queries.incident_cards import IncidentCard
from db.uow import Tx

NOTE_MAX: Final = 500
_VIEW: Final = "incidents.view"
LIVE: Final = ("open", "investigating")
Act = Literal["acknowledge", "resolve"]


@dataclass(frozen=True)
class Handled:
    """An incident after somebody pressed a button on it. `changed` False: it was so already."""

    card: IncidentCard
    changed: bool


class Incidents:
    """What people do about incidents. Each change edits the incident's messages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def list(self, actor: Actor, *, state: str = "", page: int = 0) -> Page[IncidentCard]:
        """Newest first. `state`: one of theirs, or `live` for all that are not resolved."""
        statuses = LIVE if state == "live" else (state,) if state else None
        async with self._db.read() as session:
            rows = await incident_cards.cards(
                session, actor.org, scope=actor.sight(_VIEW), statuses=statuses, limit=PAGE + 1, offset=page * PAGE
            )
        return Page(rows[:PAGE], page, len(rows) > PAGE)

    async def show(self, actor: Actor, ref: str) -> IncidentCard:
        async with self._db.read() as session:
            found = await _resolve_ref(session, actor.org, ref)
            await must_see(session, actor, _VIEW, found.server_id)
            return await _with_timeline(session, found)

    async def suggest(self, actor: Actor, words: str, *, live: bool = False) -> list[IncidentCard]:
        """For autocompletes: by number or words of the title, newest first."""
        if not actor.may(_VIEW):
            return []
        async with self._db.read() as session:
            rows = await incident_cards.cards(
                session, actor.org, scope=actor.sight(_VIEW), statuses=LIVE if live else None, limit=100
            )
        wanted = words.casefold().removeprefix("i-")
        return [row for row in rows if wanted in f"{row.number} {row.title}".casefold()][:25]

    async def card(self, org_id: UUID, incident_id: str) -> IncidentCard | None:
        """For the message that shows it."""
        async with self._db.read() as session:
            found = await incident_cards.card(session, org_id, incident_id=incident_id)
            return None if found is None else await _with_timeline(session, found)

    async def acknowledge(self, actor: Actor, ref: str) -> IncidentCard:
        """`/incident ack`: says that the caller looks after it.

        Raises:
            Conflict: somebody does already, or it is over.
        """
        async with self._db.uow(actor) as tx:
            card = await self._held(tx, ref)
            if card.status != "open":
                raise _too_late(card)
            await self._acknowledge(tx, card)
            return await _with_timeline(tx.session, await _resolve_ref(tx.session, actor.org, ref))

    async def resolve(self, actor: Actor, ref: str, note: str = "") -> IncidentCard:
        """`/incident resolve`: says that it is over, and why.

        Raises:
            Conflict, Invalid: it is over already, or the note is too long.
        """
        if len(note) > NOTE_MAX:
            raise Invalid(f"A note has at most {NOTE_MAX} characters.", "Shorten it; nothing was changed.")
        async with self._db.uow(actor) as tx:
            card = await self._held(tx, ref)
            if card.status == "resolved":
                raise _too_late(card)
            await self._resolve(tx, card, note)
            return await _with_timeline(tx.session, await _resolve_ref(tx.session, actor.org, ref))

    async def press(self, actor: Actor, incident_id: UUID, act: Act) -> Handled:
        """A button of its card. Pressed twice, it shows how things stand."""
        async with self._db.uow(actor) as tx:
            card = await self._held(tx, str(incident_id))
            changed = card.status == "open" or (act == "resolve" and card.status != "resolved")
            if not changed:
                tx.audit(f"incident.{act}.again", resource=("incident", card.id), number=card.number)
            elif act == "acknowledge":
                await self._acknowledge(tx, card)
            else:
                await self._resolve(tx, card, "")
            after = await _resolve_ref(tx.session, actor.org, str(incident_id))
            return Handled(await _with_timeline(tx.session, after), changed)

    async def _held(self, tx: Tx, ref: str) -> IncidentCard:
        found = await _resolve_ref(tx.session, tx.actor.org, ref)
        await tx.require("incidents.manage", server_id=found.server_id)
        await incidents.lock(tx.session, tx.actor.org, found.id)
        return await _resolve_ref(tx.session, tx.actor.org, str(found.id))

    async def _acknowledge(self, tx: Tx, card: IncidentCard) -> None:
        await incidents.acknowledge(tx.session, card.org_id, card.id, tx.actor.user_id, clock.now())
        await incident_flow.note(tx, card.org_id, card.id, "status_change", "looks into it", by=tx.actor.user_id)
        tx.audit("incident.acknowledge", resource=("incident", card.id), number=card.number)

    async def _resolve(self, tx: Tx, card: IncidentCard, note: str) -> None:
        words = " ".join(note.split())
        line = f"resolved it: {words}" if words else "resolved it"
        await incident_flow.resolve(tx, card.org_id, card.id, "status_change", line, by=tx.actor.user_id)
        tx.audit("incident.resolve", resource=("incident", card.id), number=card.number, note=words)


async def _with_timeline(session: AsyncSession, card: IncidentCard) -> IncidentCard:
    newest, earlier = await incident_cards.timeline(session, card.org_id, card.id)
    return replace(card, timeline=newest, earlier=earlier)


async def _resolve_ref(session: AsyncSession, org_id: UUID, ref: str) -> IncidentCard:
    """The incident that somebody means: its number, or its id from a button.

    Raises:
        NotFound: none of this org; one of another org reads the same.
    """
    text = ref.strip().upper().removeprefix("I-")
    found: IncidentCard | None = None
    if text.isascii() and text.isdigit() and len(text) <= 15:
        found = await incident_cards.card(session, org_id, number=int(text))
    elif len(text) in (32, 36):
        try:
            found = await incident_cards.card(session, org_id, incident_id=UUID(text))
        except ValueError:
            found = None
    if found is None:
        raise NotFound("There is no such incident here.", "Such as `I-12`; `/incident list` shows them.")
    return found


def _too_late(card: IncidentCard) -> Conflict:
    if card.status == "resolved":
        by = f" by {safe(card.resolved_by)}" if card.resolved_by else ", by itself"
        return Conflict(f"I-{card.number} was resolved already{by}.", f"`/incident show I-{card.number}` shows how.")
    by = safe(card.assignee) if card.assignee else "Somebody"
    return Conflict(f"{by} looks into I-{card.number} already.", "`/incident resolve` ends it.")
