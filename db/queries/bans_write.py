"""Cases as they are opened, changed and ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

_IDENTITIES = "jsonb_to_recordset(:identities) w(kind text, value text)"

# The number is taken here and not where it was shown, so that no number is missing. Whoever opens a case waits here for
# whoever opens one in the same org.
_OPEN = text("""/* bans.open */
    with counter as (
      insert into org_counters (org_id, name, value) values (:org, 'ban', 1)
      on conflict (org_id, name) do update set value = org_counters.value + 1 returning value)
    insert into org_bans (org_id, number, player_id, player_name, reason, applies_to_all, banned_at, expires_at, created_by_id)
    select :org, value, cast(:player as uuid), :name, :reason, :everywhere, :now, cast(:until as timestamptz), cast(:by as uuid)
      from counter
    returning id, number""")

_NEXT = text("""/* bans.next_number */
    select coalesce((select value from org_counters where org_id = :org and name = 'ban'), 0) + 1""")

# Whoever bans somebody waits for whoever bans the same person. In one order: nobody waits in a circle.
_TURN = text(f"""/* bans.turn */
    select pg_advisory_xact_lock(x.key) from (
      select hashtextextended('ban:' || cast(cast(:org as uuid) as text) || ':' || w.kind || ':' || w.value, 0) as key
        from {_IDENTITIES} group by 1 order by 1 offset 0) x""").bindparams(bindparam("identities", type_=JSONB))

# Of two cases about one identity the first that commits has it; the other one is told whose it is.
_IDENTIFY = text(f"""/* bans.identify */
    insert into ban_identifiers (org_ban_id, org_id, kind, value)
    select :ban, :org, w.kind, w.value from {_IDENTITIES} order by w.kind, w.value
    on conflict do nothing returning kind, value""").bindparams(bindparam("identities", type_=JSONB))

# Two people may share an address: it says who somebody is only where nothing else is known of either.
_ACTIVE = text(f"""/* bans.active */
    select b.id, b.number, coalesce(b.player_name, '') as name, coalesce(b.reason, '') as reason, b.expires_at,
           b.applies_to_all as everywhere,
           array(select e.server_instance_id from ban_entries e where e.org_ban_id = b.id) as servers,
           (select jsonb_agg(jsonb_build_array(i.kind, i.value)) from ban_identifiers i where i.org_ban_id = b.id) as identities
      from org_bans b
     where b.org_id = :org and b.status = 'active'
       and (b.player_id = cast(:player as uuid) or b.id in (
              select i.org_ban_id from {_IDENTITIES}
                join ban_identifiers i on i.org_id = :org and i.kind = w.kind and i.value = w.value and i.is_active
               where w.kind <> 'ip' or cast(:address_only as bool) and not exists (
                       select 1 from ban_identifiers d where d.org_ban_id = i.org_ban_id and d.kind <> 'ip')))
     order by b.number for no key update of b""").bindparams(bindparam("identities", type_=JSONB))

_LOCK = text("""/* bans.lock */
    select b.id, b.number, coalesce(b.player_name, '') as name, coalesce(b.reason, '') as reason, b.status, b.expires_at,
           b.applies_to_all as everywhere
      from org_bans b where b.org_id = :org and (b.id = cast(:id as uuid) or b.number = cast(:number as bigint))
       for no key update of b""")

_CHANGE = text("""/* bans.change */
    update org_bans set reason = :reason, expires_at = cast(:until as timestamptz), applies_to_all = :everywhere
     where id = :ban and org_id = :org""")

_END = text("""/* bans.end */
    with over as (
      update org_bans set status = :status, ended_at = :now, revoked_by_id = cast(:by as uuid), revoke_reason = cast(:reason as text)
       where id = :ban and org_id = :org and status = 'active' returning id)
    update ban_identifiers i set is_active = false from over where i.org_ban_id = over.id""")

_EVENT = text("""/* bans.event */
    insert into ban_events (org_ban_id, org_id, actor_id, type, details, created_at)
    values (:ban, :org, cast(:actor as uuid), :type, :details, :now)""").bindparams(bindparam("details", type_=JSONB))

_NOTICES = text("""/* bans.notices */
    select id from bot_messages where org_id = :org and kind = 'ban_notice' and disabled_reason is null
       and subject_id = any(cast(cast(:bans as uuid[]) as text[])) order by id""")

_EXPIRED = text("""/* bans.expired */
    select b.org_id, b.id from org_bans b join orgs o on o.id = b.org_id
     where b.status = 'active' and b.expires_at <= :now order by b.expires_at limit :limit""")


@dataclass(frozen=True)
class Active:
    """An active case, whose row this transaction holds."""

    id: UUID
    number: int
    name: str
    reason: str
    expires_at: datetime | None
    everywhere: bool
    servers: list[UUID]
    identities: list[list[str]]


@dataclass(frozen=True)
class Locked:
    """A case, whatever its status, whose row this transaction holds."""

    id: UUID
    number: int
    name: str
    reason: str
    status: str
    expires_at: datetime | None
    everywhere: bool
    """Later servers, too."""


def _rows(identities: Collection[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"kind": kind, "value": value} for kind, value in sorted(identities)]


def address_only(identities: Collection[tuple[str, str]]) -> bool:
    """Is nothing known of somebody that could not be somebody else's tomorrow?"""
    return all(kind == "ip" for kind, _ in identities)


async def open_case(session: AsyncSession, values: dict[str, Any]) -> tuple[UUID, int]:
    """Writes a case; its id and number. `values`: the names in `_OPEN`."""
    row = (await session.execute(_OPEN, values)).one()
    return row.id, row.number


async def next_number(session: AsyncSession, org_id: UUID) -> int:
    """The number that the next case will have, unless another one is opened before."""
    return int(await session.scalar(_NEXT, {"org": org_id}))


async def identify(
    session: AsyncSession, org_id: UUID, ban_id: UUID, identities: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Puts identities to a case; those that it got. The others are in another active case."""
    values = {"org": org_id, "ban": ban_id, "identities": _rows(identities)}
    return {(row.kind, row.value) for row in await session.execute(_IDENTIFY, values)}


async def take_turn(
    session: AsyncSession, org_id: UUID, player_id: UUID | None, identities: Collection[tuple[str, str]]
) -> None:
    """Of those who ban a person, one goes on at a time, until it commits."""
    rows = [*_rows(identities), *([{"kind": "player", "value": str(player_id)}] if player_id else [])]
    await session.execute(_TURN, {"org": org_id, "identities": rows})


async def active(
    session: AsyncSession, org_id: UUID, player_id: UUID | None, identities: Collection[tuple[str, str]]
) -> list[Active]:
    """The active cases about a person, locked."""
    values = {"org": org_id, "player": player_id, "identities": _rows(identities)}
    return every(Active, await session.execute(_ACTIVE, {**values, "address_only": address_only(identities)}))


async def lock(
    session: AsyncSession, org_id: UUID, *, ban_id: UUID | None = None, number: int | None = None
) -> Locked | None:
    found = every(Locked, await session.execute(_LOCK, {"org": org_id, "id": ban_id, "number": number}))
    return found[0] if found else None


async def change(
    session: AsyncSession, org_id: UUID, ban_id: UUID, *, reason: str, until: datetime | None, everywhere: bool
) -> None:
    values = {"org": org_id, "ban": ban_id, "reason": reason, "until": until, "everywhere": everywhere}
    await session.execute(_CHANGE, values)


async def end(
    session: AsyncSession,
    org_id: UUID,
    ban_id: UUID,
    status: str,
    *,
    by: UUID | None,
    reason: str | None,
    now: datetime,
) -> None:
    """Ends an active case, and with it its hold on the identities."""
    values = {"org": org_id, "ban": ban_id, "status": status, "by": by, "reason": reason, "now": now}
    await session.execute(_END, values)


async def tell(
    session: AsyncSession,
    org_id: UUID,
    ban_id: UUID,
    kind: str,
    details: dict[str, Any],
    *,
    by: UUID | None,
    now: datetime,
) -> None:
    """Adds a line to the history of a case."""
    values = {"org": org_id, "ban": ban_id, "actor": by, "type": kind, "details": details, "now": now}
    await session.execute(_EVENT, values)


async def notices(session: AsyncSession, org_id: UUID, bans: Collection[UUID]) -> Sequence[UUID]:
    """The bot's messages that show these cases."""
    return list((await session.execute(_NOTICES, {"org": org_id, "bans": list(bans)})).scalars())


async def expired(session: AsyncSession, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """(org, case) of active cases whose time is over."""
    return [(row.org_id, row.id) for row in await session.execute(_EXPIRED, {"now": now, "limit": limit})]
