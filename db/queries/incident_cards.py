"""Incidents as cards and lists show them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

TIMELINE: Final = 8
"""Lines of a timeline that a card shows, the newest."""

_CARDS = """
    select i.id, i.org_id, i.number, i.title, i.severity, i.status, i.source, i.created_at, i.acknowledged_at, i.resolved_at,
           r.name as rule_name, h.name as host_name, s.name as server_name, i.server_instance_id as server_id,
           s.deleted_at is not null as server_gone,
           coalesce(a.display_name, a.username) as assignee, coalesce(b.display_name, b.username) as resolved_by,
           coalesce(f.status = 'firing', false) as firing
      from incidents i
      left join alert_rules r on r.id = i.rule_id
      left join hosts h on h.id = i.host_id
      left join server_instances s on s.id = i.server_instance_id
      left join users a on a.id = i.assignee_id
      left join users b on b.id = i.resolved_by_id
      left join alert_firings f on f.rule_id = i.rule_id and f.fingerprint = i.fingerprint and f.incident_id = i.id
     where i.org_id = :org"""

_CARD = text(f"""/* incidents.card */ {_CARDS} and (i.id = cast(:id as uuid) or i.number = cast(:number as bigint))""")

_LIST = text(f"""/* incidents.cards */ {_CARDS}
    and (cast(:statuses as text[]) is null or i.status = any(cast(:statuses as text[])))
    and {covered("i.server_instance_id")}
    order by i.created_at desc, i.number desc limit :limit offset :offset""")

_TIMELINE = text("""/* incidents.timeline */
    select * from (
      select e.id, e.type, e.message, e.created_at as at, coalesce(u.display_name, u.username) as who
        from incident_events e join incidents i on i.id = e.incident_id left join users u on u.id = e.actor_id
       where e.incident_id = :incident and i.org_id = :org order by e.id desc limit :limit) newest order by id""")

_COUNT = text("""/* incidents.timeline_length */
    select count(*) from incident_events e join incidents i on i.id = e.incident_id
     where e.incident_id = :incident and i.org_id = :org""")


@dataclass(frozen=True)
class IncidentEvent:
    """One line of a timeline."""

    id: int
    type: str
    message: str
    at: datetime
    who: str | None


@dataclass(frozen=True)
class IncidentCard:
    """An incident with what it is about and who looks after it."""

    id: UUID
    org_id: UUID
    number: int
    title: str
    severity: Literal["low", "med", "high"]
    status: Literal["open", "investigating", "resolved"]
    source: str
    created_at: datetime
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    rule_name: str | None
    host_name: str | None
    server_name: str | None
    server_id: UUID | None
    server_gone: bool
    assignee: str | None
    resolved_by: str | None
    firing: bool
    """What it is about is still so, whatever people say."""
    timeline: Sequence[IncidentEvent] = field(default=())
    earlier: int = 0
    """Lines of the timeline before those."""


async def card(
    session: AsyncSession, org_id: UUID, *, incident_id: UUID | str | None = None, number: int | None = None
) -> IncidentCard | None:
    """An incident by id or by its number in the org, without its timeline."""
    values = {"org": org_id, "id": str(incident_id) if incident_id else None, "number": number}
    return one(IncidentCard, await session.execute(_CARD, values))


async def timeline(session: AsyncSession, org_id: UUID, incident_id: UUID) -> tuple[list[IncidentEvent], int]:
    """The newest lines, oldest of them first, and how many came before."""
    values = {"org": org_id, "incident": incident_id}
    newest = every(IncidentEvent, await session.execute(_TIMELINE, {**values, "limit": TIMELINE}))
    total: int = await session.scalar(_COUNT, values)
    return newest, total - len(newest)


async def cards(
    session: AsyncSession,
    org_id: UUID,
    *,
    scope: Scope,
    statuses: Sequence[str] | None,
    limit: int,
    offset: int = 0,
) -> list[IncidentCard]:
    """Incidents of the servers in a scope, newest first; ask for one more than you show to know whether there is another page."""
    chosen = list(statuses) if statuses is not None else None
    values = {"org": org_id, "statuses": chosen, "limit": limit, "offset": offset, **scope_values(scope)}
    return every(IncidentCard, await session.execute(_LIST, values))
