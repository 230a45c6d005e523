"""Rules: written, looked up, switched, and what went wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from db.queries.access import covered, scope_values
from db.rows import every, one

_ERRORS = text("""/* alert_rules.errors */
    update alert_rules r set last_error = nullif(left(e.error, 500), ''), last_evaluated_at = :now
      from jsonb_to_recordset(:errors) as e(id uuid, error text) where r.id = e.id""").bindparams(
    bindparam("errors", type_=JSONB)
)

# Those of an org that has none. They are on where there is a channel for them, and wait for one elsewhere.
_DEFAULTS = text("""/* alert_rules.defaults */
    insert into alert_rules (org_id, name, type, condition, severity, enabled, created_at, updated_at)
    select o.id, d.name, d.type, d.condition, 'high',
           exists (select 1 from notification_channels c where c.org_id = o.id and c.purpose = 'alerts' and c.enabled), :now, :now
      from orgs o cross join jsonb_to_recordset(:rules) as d(name text, type text, condition jsonb)
     where (cast(:org as uuid) is null or o.id = cast(:org as uuid))
       and not exists (select 1 from alert_rules r where r.org_id = o.id)
    on conflict (org_id, name) do nothing""").bindparams(bindparam("rules", type_=JSONB))

# What opens an incident holds its rule: after this all of them see the channel, or are seen.
_HOLD = text("/* alert_rules.hold */ select id from alert_rules where org_id = :org order by id for no key update")

# One that nobody has touched waits for a channel; one that somebody switched off stays off.
_WAKE = text("""/* alert_rules.wake */
    update alert_rules set enabled = true, updated_at = :now
     where org_id = :org and not enabled and created_by_id is null and updated_at = created_at returning name""")

_ADD = text("""/* alert_rules.add */
    insert into alert_rules (org_id, name, type, condition, host_id, server_instance_id, severity, created_by_id, created_at,
                             updated_at)
    values (:org, :name, :type, :condition, cast(:host as uuid), cast(:server as uuid), :severity, cast(:by as uuid), :now, :now)
    returning id""").bindparams(bindparam("condition", type_=JSONB))

_TOGGLE = text("""/* alert_rules.toggle */
    update alert_rules set enabled = not enabled, updated_at = :now, last_error = null
     where id = :id and org_id = :org returning enabled""")

_STOP = text("""/* alert_rules.stop */
    update alert_rules set enabled = false, last_error = :why, updated_at = :now where id = :id and org_id = :org and enabled""")

_FORGET = text("""/* alert_rules.forget */
    delete from alert_rules where org_id = :org and (host_id = :entity or server_instance_id = :entity) returning name""")

_COUNT = text("/* alert_rules.count */ select count(*) from alert_rules where org_id = :org")

_CARDS = """
    select r.id, r.org_id, r.name, r.type, r.condition, r.severity, r.enabled, r.cooldown_seconds, r.last_error, r.created_at,
           r.created_by_id is null and r.updated_at = r.created_at as untouched,
           h.name as host_name, s.name as server_name, r.host_id, r.server_instance_id as server_id,
           (select count(*) from alert_firings f where f.rule_id = r.id and f.status = 'firing') as firing
      from alert_rules r left join hosts h on h.id = r.host_id left join server_instances s on s.id = r.server_instance_id
     where r.org_id = :org and h.deleted_at is null and s.deleted_at is null"""

_CARD = text(f"""/* alert_rules.card */ {_CARDS}
    and (r.id = cast(:id as uuid) or cast(:name as text) is not null and lower(r.name) = lower(:name))
    order by r.name = :name desc limit 1""")

_LIST = text(f"""/* alert_rules.cards */ {_CARDS}
    and (cast(:enabled as boolean) is null or r.enabled = cast(:enabled as boolean))
    and (cast(:words as text) is null or r.name ilike '%' || :words || '%')
    and {covered("r.server_instance_id")}
    order by lower(r.name), r.id limit :limit offset :offset""")


@dataclass(frozen=True)
class RuleCard:
    """A rule with what it is about."""

    id: UUID
    org_id: UUID
    name: str
    type: str
    condition: dict[str, Any]
    severity: Literal["low", "med", "high"]
    enabled: bool
    cooldown_seconds: int
    last_error: str | None
    created_at: datetime
    untouched: bool
    """One of those that every org starts with, as it came."""
    host_name: str | None
    server_name: str | None
    host_id: UUID | None
    server_id: UUID | None
    firing: int
    """How many hosts or servers it fires for."""


async def errors(session: AsyncSession, found: Mapping[UUID, str], now: datetime) -> None:
    """What keeps rules from being evaluated; an empty text: nothing any more."""
    rows = [{"id": str(rule), "error": error} for rule, error in found.items()]
    await session.execute(_ERRORS, {"errors": rows, "now": now})


async def defaults(
    session: AsyncSession, org_id: UUID | None, rules: list[tuple[str, str, dict[str, Any]]], now: datetime
) -> None:
    """The rules (name, type, condition) that an org starts with; None: every org that has no rule yet."""
    rows = [{"name": name, "type": kind, "condition": condition} for name, kind, condition in rules]
    await session.execute(_DEFAULTS, {"org": org_id, "rules": rows, "now": now})


async def hold(session: AsyncSession, org_id: UUID) -> None:
    """Waits for the incidents that are being opened, and lets no other one open until this transaction has ended."""
    await session.execute(_HOLD, {"org": org_id})


async def wake(session: AsyncSession, org_id: UUID, now: datetime) -> list[str]:
    """Switches on what waited for a channel; the names."""
    return list((await session.execute(_WAKE, {"org": org_id, "now": now})).scalars())


async def add(
    session: AsyncSession,
    *,
    org_id: UUID,
    name: str,
    kind: str,
    condition: dict[str, Any],
    host_id: UUID | None,
    server_id: UUID | None,
    severity: str,
    by: UUID | None,
    now: datetime,
) -> UUID:
    values = {"org": org_id, "name": name, "type": kind, "condition": condition, "host": host_id, "server": server_id}
    return (await session.execute(_ADD, {**values, "severity": severity, "by": by, "now": now})).scalar_one()


async def toggle(session: AsyncSession, org_id: UUID, rule_id: UUID, now: datetime) -> bool | None:
    """Whether it is on now; None: it is gone."""
    values = {"org": org_id, "id": rule_id, "now": now}
    return (await session.execute(_TOGGLE, values)).scalar_one_or_none()


async def stop(session: AsyncSession, org_id: UUID, rule_id: UUID, why: str, now: datetime) -> None:
    """Switches a rule off that cannot go on."""
    await session.execute(_STOP, {"org": org_id, "id": rule_id, "why": why, "now": now})


async def forget(session: AsyncSession, org_id: UUID, entity_id: UUID) -> list[str]:
    """Takes away what was only about a host or a server; the names."""
    return list((await session.execute(_FORGET, {"org": org_id, "entity": entity_id})).scalars())


async def count(session: AsyncSession, org_id: UUID) -> int:
    """How many rules an org has."""
    return await session.scalar(_COUNT, {"org": org_id}) or 0


async def card(
    session: AsyncSession, org_id: UUID, *, rule_id: UUID | None = None, name: str | None = None
) -> RuleCard | None:
    """A rule by id or by name (case does not count); none of a host or server that was removed."""
    return one(RuleCard, await session.execute(_CARD, {"org": org_id, "id": rule_id, "name": name}))


async def cards(
    session: AsyncSession,
    org_id: UUID,
    *,
    scope: Scope,
    enabled: bool | None = None,
    words: str | None = None,
    limit: int = 11,
    offset: int = 0,
) -> list[RuleCard]:
    """Rules about servers in a scope by name; ask for one more than you show to know whether there is another page."""
    like = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") if words else None
    values = {"org": org_id, "enabled": enabled, "words": like, "limit": limit, "offset": offset}
    return every(RuleCard, await session.execute(_LIST, {**values, **scope_values(scope)}))
