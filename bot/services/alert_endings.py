"""Alerts whose rule, server or host goes: what they have opened ends in the transaction that takes it away.

Firings are locked before incidents, here as where they are evaluated.
"""

from typing import Literal
from uuid import UUID

from bot import clock
from bot.services import incident_flow
from db.queries import alert_firings, alert_rules, incidents
from db.uow import Tx


async def rule_ends(tx: Tx, rule_id: UUID, why: str) -> list[int]:
    """A rule is switched off; the numbers of the incidents that end with it."""
    await alert_firings.end_rule(tx.session, tx.actor.org, rule_id, clock.now())
    live = await incidents.live_of_rule(tx.session, tx.actor.org, rule_id)
    return await _end(tx, live, why)


async def entity_ends(tx: Tx, kind: Literal["server", "host"], entity_id: UUID) -> list[int]:
    """A server or a host is removed, and with it the rules for it alone; the numbers of the incidents that end."""
    await alert_firings.end_entity(tx.session, tx.actor.org, entity_id, clock.now())
    live = await incidents.live_of_entity(tx.session, tx.actor.org, kind, entity_id)
    ended = await _end(tx, live, f"the {kind} was removed")
    await alert_rules.forget(tx.session, tx.actor.org, entity_id)
    return ended


async def _end(tx: Tx, live: list[UUID], why: str) -> list[int]:
    ended = [await incident_flow.resolve(tx, tx.actor.org, incident, "auto_resolved", why) for incident in live]
    return [number for number in ended if number is not None]
