"""What happens to incidents, within a unit of work of the caller: opened, noted, reopened, ended. Whatever changes one
lets its cards show it."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bot import clock
from bot.services import outbox
from db.queries import incidents
from db.uow import Tx

KIND: Final = "incident"
"""Of the messages that show an incident."""
_TITLE_MAX: Final = 200
_LINE_MAX: Final = 1_000


@dataclass(frozen=True)
class Opening:
    """What an incident of a rule starts with."""

    org_id: UUID
    rule_id: UUID
    fingerprint: str
    host_id: UUID
    server_id: UUID | None
    title: str
    severity: str
    why: str


async def open_incident(tx: Tx, opening: Opening) -> tuple[UUID, int] | None:
    """A new incident with its first line and what the outbox owes for it; None where one is live."""
    opened = await incidents.open_(
        tx.session,
        org_id=opening.org_id,
        rule_id=opening.rule_id,
        fingerprint=opening.fingerprint,
        host_id=opening.host_id,
        server_id=opening.server_id,
        title=opening.title[:_TITLE_MAX],
        severity=opening.severity,
        now=clock.now(),
    )
    if opened:
        await _line(tx, opening.org_id, opened[0], "created", opening.why, None)
        for channel in await incidents.channels(tx.session, opening.org_id, opening.rule_id, opening.severity):
            await show_in(tx, opening.org_id, opened[0], channel)
    return opened


async def show_in(tx: Tx, org_id: UUID, incident_id: UUID, channel: int) -> None:
    """Owes a channel the card of an incident, once; again where Discord has refused it."""
    message = await outbox.track(tx.session, org_id=org_id, kind=KIND, subject_id=str(incident_id), channel_id=channel)
    posted, refused = await incidents.placing(tx.session, org_id, message)
    if posted:
        await outbox.edit(tx.session, org_id=org_id, message=message, event_type="incident.changed", payload={})
    else:
        await outbox.post(
            tx.session,
            org_id=org_id,
            channel_id=channel,
            event_type="incident.opened",
            payload={},
            dedupe_key=f"incident.opened:{incident_id}:{channel}:{refused}",
            message=message,
        )
    await tx.notify(outbox.NOTIFY)


async def note(tx: Tx, org_id: UUID, incident_id: UUID, kind: str, message: str, *, by: UUID | None = None) -> None:
    """A line in the timeline, and the cards with it."""
    await _line(tx, org_id, incident_id, kind, message, by)
    await _edit(tx, org_id, incident_id)


async def reopen(tx: Tx, org_id: UUID, incident_id: UUID, title: str, why: str) -> int | None:
    """The same incident goes on, without a new message; its number, None where that cannot be."""
    number = await incidents.reopen(tx.session, org_id, incident_id, title[:_TITLE_MAX], clock.now())
    if number is not None:
        await note(tx, org_id, incident_id, "reopened", why)
    return number


async def resolve(
    tx: Tx, org_id: UUID, incident_id: UUID, kind: str, why: str, *, by: UUID | None = None
) -> int | None:
    """Ends an incident; its number, None where it has ended already."""
    number = await incidents.resolve(tx.session, org_id, incident_id, by, clock.now())
    if number is not None:
        await note(tx, org_id, incident_id, kind, why, by=by)
    return number


async def _line(tx: Tx, org_id: UUID, incident_id: UUID, kind: str, message: str, by: UUID | None) -> None:
    await incidents.note(tx.session, org_id, incident_id, kind, message[:_LINE_MAX], by, clock.now())


async def _edit(tx: Tx, org_id: UUID, incident_id: UUID) -> None:
    await outbox.edit_tracked(tx, org_id, KIND, incident_id, "incident.changed")
