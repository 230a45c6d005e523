"""Changes of servers, whoever reports them: the event, and the cards that show the server."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from bot import clock
from bot.services import bans_returns, outbox
from db.queries import events, heartbeats
from db.queries.events import Happened
from db.uow import Tx

#: The events that a server's new status is; other changes are steps on the way.
_EVENTS: Final = {
    "running": "server.ready",
    "stopped": "server.stopped",
    "crashed": "server.crashed",
    "install_failed": "server.install_failed",
}


def status_event(org_id: UUID, server_id: UUID, old: str, new: str, note: str) -> Happened | None:
    """What a change of status is as an event. The first report about a server is no news."""
    name = _EVENTS.get(new)
    if old in (new, "unknown") or name is None:
        return None
    payload = {"from": old, "to": new, "note": note}
    return Happened(org_id, "server_instance", str(server_id), name, payload, clock.now())


async def server_is(tx: Tx, org_id: UUID, server_id: UUID, status: str, *, note: str) -> None:
    """A job has brought a server into this state; the heartbeats will confirm it."""
    old = await heartbeats.set_status(tx.session, org_id, server_id, status, clock.now())
    if old is None:
        return
    event = status_event(org_id, server_id, old, status, note)
    await events.write(tx.session, [event] if event else [])
    if status == "running":
        await bans_returns.started(tx, [server_id])
    await edit_cards(tx, org_id, [server_id])


async def edit_cards(tx: Tx, org_id: UUID, servers: Collection[UUID]) -> None:
    """Lets the cards of these servers show how they are now."""
    for message in await heartbeats.server_cards(tx.session, org_id, servers) if servers else []:
        await outbox.edit(tx.session, org_id=org_id, message=message, event_type="server.changed", payload={})
