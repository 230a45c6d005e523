"""What follows when an alert fires, goes on or ends: firing, incident, timeline and what the outbox owes, together."""

from typing import Final
from uuid import UUID

from bot import clock
from bot.domain.alerts import Decision
from bot.services import incident_flow
from bot.services.incident_flow import Opening
from db.queries import alert_firings, incidents
from db.queries.alert_watch import Watched, WatchedHost
from db.uow import Tx

_TITLES: Final = {
    "host_offline": "{name} is offline",
    "server_down": "{name} is down",
    "job_run_failed": "Jobs fail on {name}",
    "log_keyword": "“{keyword}” in the log of {name}",
}


async def apply(tx: Tx, seen: Watched, decision: Decision) -> bool:
    """Carries a decision out. False: somebody was faster, or there is nothing to it."""
    match decision.step:
        case "fire" | "reopen" | "rejoin":
            return await _fire(tx, seen, decision)
        case "unfold":
            return await _unfold(tx, seen, decision.reason)
        case "again":
            return await _again(tx, seen, decision.reason)
        case "resolve":
            return await _resolve(tx, seen, decision.reason)
        case _:
            raise AssertionError(f"{decision.step} is written with the others of its kind")


async def _fire(tx: Tx, seen: Watched, decision: Decision) -> bool:
    if not await alert_firings.hold(
        tx.session, seen.org_id, seen.rule_id, server_id=seen.server_id, host_id=seen.host_id
    ):
        return False
    firing = await alert_firings.fire(tx.session, seen.org_id, seen.rule_id, seen.fingerprint, clock.now())
    if firing is None:
        return False
    if not seen.creates_incident:
        tx.audit("alert.fire", resource=("alert_rule", seen.rule_id), entity=seen.entity_name, why=decision.reason)
        return True
    if decision.step == "reopen" and seen.incident_id and await _reopened(tx, seen, decision.reason):
        return True
    await _open(tx, seen, firing, decision.reason)
    return True


async def _unfold(tx: Tx, seen: Watched, why: str) -> bool:
    """Its host is back, and it is not over."""
    if not await alert_firings.hold(
        tx.session, seen.org_id, seen.rule_id, server_id=seen.server_id, host_id=seen.host_id
    ):
        return False
    firing = seen.firing_id or 0
    if not await alert_firings.unfold(tx.session, seen.org_id, firing, seen.incident_id, clock.now()):
        return False
    await _open(tx, seen, firing, why)
    return True


async def _reopened(tx: Tx, seen: Watched, why: str) -> bool:
    incident = seen.incident_id
    number = await incident_flow.reopen(tx, seen.org_id, incident, _title(seen), why) if incident else None
    if number is not None:
        tx.audit("incident.reopen", resource=("incident", incident), number=number, why=why)
    return number is not None


async def _open(tx: Tx, seen: Watched, firing: int, why: str) -> None:
    if seen.server_id and (host := await incidents.host_offline(tx.session, seen.org_id, seen.host_id)):
        await _fold(tx, seen, firing, host, why)
        return
    opening = Opening(
        org_id=seen.org_id,
        rule_id=seen.rule_id,
        fingerprint=seen.fingerprint,
        host_id=seen.host_id,
        server_id=seen.server_id,
        title=_title(seen),
        severity=seen.severity,
        why=why,
    )
    opened = await incident_flow.open_incident(tx, opening)
    if opened is None:
        await _join(tx, seen, firing, why)
        return
    await alert_firings.point(tx.session, seen.org_id, firing, opened[0])
    folded = await _take_in(tx, seen, opened) if seen.server_id is None else []
    tx.audit(
        "incident.open",
        resource=("incident", opened[0]),
        number=opened[1],
        rule=seen.rule_name,
        why=why,
        **({"folded": folded} if folded else {}),
    )


async def _join(tx: Tx, seen: Watched, firing: int, why: str) -> None:
    """Its incident is live, whether it is known or was forgotten: some rules leave it to people to end incidents."""
    incident = await incidents.live(tx.session, seen.org_id, seen.rule_id, seen.fingerprint)
    if incident is None:
        raise AssertionError(f"{seen.fingerprint}: no incident could be opened, and none is live")
    await alert_firings.point(tx.session, seen.org_id, firing, incident)
    await incident_flow.note(tx, seen.org_id, incident, "trigger", why)
    tx.audit("incident.trigger", resource=("incident", incident), why=why)


async def _again(tx: Tx, seen: Watched, why: str) -> bool:
    was = seen.last_notified_at
    times = await alert_firings.again(tx.session, seen.org_id, seen.firing_id or 0, was, clock.now())
    if times is None or seen.incident_id is None:
        return False
    await incident_flow.note(tx, seen.org_id, seen.incident_id, "trigger", why)
    return True


async def _resolve(tx: Tx, seen: Watched, why: str) -> bool:
    if not await alert_firings.resolve(tx.session, seen.org_id, seen.firing_id or 0, clock.now()):
        return False
    if seen.incident_id and seen.auto_resolve and seen.own_incident:
        number = await incident_flow.resolve(tx, seen.org_id, seen.incident_id, "auto_resolved", why)
        if number is not None:
            tx.audit("incident.resolve", resource=("incident", seen.incident_id), number=number, why=why)
    return True


async def _fold(tx: Tx, seen: Watched, firing: int, host: UUID, why: str) -> None:
    """While a host is offline, what fires for its servers belongs to its incident."""
    await alert_firings.point(tx.session, seen.org_id, firing, host)
    await incident_flow.note(tx, seen.org_id, host, "folded", f"{_title(seen)}: {why}")
    tx.audit("incident.fold", resource=("incident", host), rule=seen.rule_name, entity=seen.entity_name, why=why)


async def _take_in(tx: Tx, seen: Watched, opened: tuple[UUID, int]) -> list[int]:
    """What has begun to fire for a host's servers since it is silent is part of its incident; the numbers that were."""
    numbers: list[int] = []
    since = seen.last_heartbeat_at if isinstance(seen, WatchedHost) and seen.last_heartbeat_at else clock.now()
    for firing in await alert_firings.of_host(tx.session, seen.org_id, seen.host_id, since):
        why = f"part of I-{opened[1]}: {_title(seen)}"
        await alert_firings.point(tx.session, seen.org_id, firing.id, opened[0])
        number = await incident_flow.resolve(tx, seen.org_id, firing.incident_id, "folded", why)
        if number is not None:
            numbers.append(number)
            await incident_flow.note(tx, seen.org_id, opened[0], "folded", f"I-{number} is part of this")
    return numbers


def _title(seen: Watched) -> str:
    keyword = str(seen.condition.get("keyword", ""))[:80]
    return _TITLES[seen.type].format(name=seen.entity_name, keyword=keyword)
