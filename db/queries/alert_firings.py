"""What rules have seen of entities. Every change names the state that it starts from: whoever comes second changes nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# Held until the end of the transaction. The number stands for nothing but this.
_ALONE = text("/* alert_firings.alone */ select pg_advisory_xact_lock(7401)")

_PENDING = text("""/* alert_firings.pending */
    insert into alert_firings as f (org_id, rule_id, fingerprint, status, pending_since, last_seen_at)
    select r.org_id, r.id, :fingerprint, 'pending', :now, :now from alert_rules r where r.id = :rule and r.org_id = :org and r.enabled
    on conflict (rule_id, fingerprint) do update set status = 'pending', pending_since = excluded.pending_since,
        last_seen_at = excluded.last_seen_at, clear_since = null, resolved_at = null
     where f.status = 'resolved'""")

_FORGET = text("""/* alert_firings.forget */
    delete from alert_firings where id = :id and org_id = :org and status = 'pending' and fired_at is null""")

_BACK = text("""/* alert_firings.back */
    update alert_firings set status = 'resolved', resolved_at = :now, pending_since = null
     where id = :id and org_id = :org and status = 'pending' and fired_at is not null""")

# Who switches the rule off or removes the entity waits until this transaction has ended, and then sees what it opened. The
# entity comes first: who removes it holds it, and takes its rules away at the end.
_HOLD_RULE = text("""/* alert_firings.hold_rule */
    select 1 from alert_rules where id = :rule and org_id = :org and enabled for share""")
_HOLD_SERVER = text("""/* alert_firings.hold_server */
    select 1 from server_instances where id = :entity and org_id = :org and deleted_at is null for share""")
_HOLD_HOST = text("""/* alert_firings.hold_host */
    select 1 from hosts where id = :entity and org_id = :org and deleted_at is null for share""")

_FIRE = text("""/* alert_firings.fire */
    insert into alert_firings as f (org_id, rule_id, fingerprint, status, fire_count, fired_at, last_seen_at, last_notified_at)
    values (:org, :rule, :fingerprint, 'firing', 1, :now, :now, :now)
    on conflict (rule_id, fingerprint) do update set status = 'firing', fire_count = f.fire_count + 1,
        fired_at = excluded.fired_at, last_seen_at = excluded.last_seen_at, last_notified_at = excluded.last_notified_at,
        pending_since = null, clear_since = null, resolved_at = null
     where f.status <> 'firing'
    returning id""")

_POINT = text(
    "/* alert_firings.point */ update alert_firings set incident_id = :incident where id = :id and org_id = :org"
)

_UNFOLD = text("""/* alert_firings.unfold */
    update alert_firings set last_seen_at = :now, last_notified_at = :now, clear_since = null, incident_id = null
     where id = :id and org_id = :org and status = 'firing' and incident_id = cast(:was as uuid) returning id""")

_SEEN = text("""/* alert_firings.seen */
    update alert_firings set last_seen_at = :now, clear_since = null where id = any(cast(:ids as bigint[])) and status = 'firing'""")

_UNSURE = text("""/* alert_firings.unsure */
    update alert_firings set clear_since = null where id = any(cast(:ids as bigint[])) and status = 'firing'""")

_CLEARING = text("""/* alert_firings.clearing */
    update alert_firings set clear_since = :now
     where id = any(cast(:ids as bigint[])) and status = 'firing' and clear_since is null""")

_AGAIN = text("""/* alert_firings.again */
    update alert_firings set last_seen_at = :now, last_notified_at = :now, clear_since = null, fire_count = fire_count + 1
     where id = :id and org_id = :org and status = 'firing' and last_notified_at is not distinct from cast(:was as timestamptz)
    returning fire_count""")

_RESOLVE = text("""/* alert_firings.resolve */
    update alert_firings set status = 'resolved', resolved_at = :now, clear_since = null, pending_since = null
     where id = :id and org_id = :org and status = 'firing' returning id""")

# Rules, servers and hosts that go take what was seen of them along.
_END = """with forgotten as (delete from alert_firings f where f.org_id = :org and f.status = 'pending' and f.fired_at is null and {which})
    update alert_firings f set status = 'resolved', resolved_at = :now, clear_since = null, pending_since = null
     where f.org_id = :org and f.status in ('pending', 'firing') and f.fired_at is not null and {which}"""
_OF_ENTITY = "split_part(f.fingerprint, ':', 2) = cast(cast(:entity as uuid) as text)"
_END_RULE = text(f"/* alert_firings.end_rule */ {_END.format(which='f.rule_id = :rule')}")
_END_ENTITY = text(f"/* alert_firings.end_entity */ {_END.format(which=_OF_ENTITY)}")

_OF_HOST = text("""/* alert_firings.of_host */
    select f.id, f.incident_id from alert_firings f
      join server_instances s on split_part(f.fingerprint, ':', 2) = cast(s.id as text)
     where f.org_id = :org and s.org_id = :org and s.host_id = :host and f.status = 'firing' and f.fired_at > :since
       and f.incident_id is not null order by f.id""")


@dataclass(frozen=True)
class ServersFiring:
    """Something that fires for a server, and its incident."""

    id: int
    incident_id: UUID


async def alone(session: AsyncSession) -> None:
    """Waits until no other evaluation writes; none does until this transaction has ended."""
    await session.execute(_ALONE)


async def pending(session: AsyncSession, org_id: UUID, rule_id: UUID, fingerprint: str, now: datetime) -> None:
    values = {"org": org_id, "rule": rule_id, "fingerprint": fingerprint, "now": now}
    await session.execute(_PENDING, values)


async def drop(session: AsyncSession, org_id: UUID, firing_id: int, now: datetime) -> None:
    """It did not match for long enough."""
    await session.execute(_FORGET, {"org": org_id, "id": firing_id})
    await session.execute(_BACK, {"org": org_id, "id": firing_id, "now": now})


async def hold(session: AsyncSession, org_id: UUID, rule_id: UUID, *, server_id: UUID | None, host_id: UUID) -> bool:
    """Keeps a rule on and its entity there until this transaction has ended; False where one of them is gone."""
    statement = _HOLD_SERVER if server_id else _HOLD_HOST
    if await session.scalar(statement, {"org": org_id, "entity": server_id or host_id}) is None:
        return False
    return await session.scalar(_HOLD_RULE, {"org": org_id, "rule": rule_id}) is not None


async def fire(session: AsyncSession, org_id: UUID, rule_id: UUID, fingerprint: str, now: datetime) -> int | None:
    """Its id; None where it fires already."""
    values = {"org": org_id, "rule": rule_id, "fingerprint": fingerprint, "now": now}
    return (await session.execute(_FIRE, values)).scalar_one_or_none()


async def point(session: AsyncSession, org_id: UUID, firing_id: int, incident_id: UUID) -> None:
    """Names the incident that a firing is part of."""
    await session.execute(_POINT, {"org": org_id, "id": firing_id, "incident": incident_id})


async def unfold(session: AsyncSession, org_id: UUID, firing_id: int, was: UUID | None, now: datetime) -> bool:
    """Takes a firing out of the incident that it is part of."""
    values = {"org": org_id, "id": firing_id, "was": was, "now": now}
    return (await session.execute(_UNFOLD, values)).scalar_one_or_none() is not None


async def seen(session: AsyncSession, ids: Collection[int], now: datetime) -> None:
    await session.execute(_SEEN, {"ids": list(ids), "now": now})


async def unsure(session: AsyncSession, ids: Collection[int]) -> None:
    """Neither: what looked fine may not be."""
    await session.execute(_UNSURE, {"ids": list(ids)})


async def clearing(session: AsyncSession, ids: Collection[int], now: datetime) -> None:
    await session.execute(_CLEARING, {"ids": list(ids), "now": now})


async def again(session: AsyncSession, org_id: UUID, firing_id: int, was: datetime | None, now: datetime) -> int | None:
    """How often it was noted; None where it does not fire any more, or was noted since `was`."""
    values = {"org": org_id, "id": firing_id, "was": was, "now": now}
    return (await session.execute(_AGAIN, values)).scalar_one_or_none()


async def resolve(session: AsyncSession, org_id: UUID, firing_id: int, now: datetime) -> bool:
    values = {"org": org_id, "id": firing_id, "now": now}
    return (await session.execute(_RESOLVE, values)).scalar_one_or_none() is not None


async def end_rule(session: AsyncSession, org_id: UUID, rule_id: UUID, now: datetime) -> None:
    await session.execute(_END_RULE, {"org": org_id, "rule": rule_id, "now": now})


async def end_entity(session: AsyncSession, org_id: UUID, entity_id: UUID, now: datetime) -> None:
    await session.execute(_END_ENTITY, {"org": org_id, "entity": entity_id, "now": now})


async def of_host(session: AsyncSession, org_id: UUID, host_id: UUID, since: datetime) -> list[ServersFiring]:
    """What has begun to fire for the servers of a host since then."""
    values = {"org": org_id, "host": host_id, "since": since}
    return every(ServersFiring, await session.execute(_OF_HOST, values))
