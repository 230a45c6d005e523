"""Maintenance windows: written down, looked at, told of and ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.access import Scope
from bot.domain.maintenance import Kind, Times
from db.queries.rest import COVERS
from db.rows import every, one

# Who plans two windows of one thing at the same time is told of the other.
_LOCK = text("""/* maintenance.lock */
    select pg_advisory_xact_lock(hashtextextended('maintenance:' || cast(:org as uuid)::text, 0))""")

_WINDOWS = f"""
    select w.id, w.org_id, o.discord_guild_id as guild_id, w.host_id, h.name as host_name, w.server_instance_id as server_id,
           s.name as server_name, w.tag, w.reason, w.starts_at, w.ends_at, w.warned_at, w.begun_at, w.ended_at,
           h.deleted_at is not null or s.deleted_at is not null as gone, coalesce(a.display_name, a.username) as author,
           coalesce(e.display_name, e.username) as ended_by,
           array(select s.id from server_instances s where s.org_id = w.org_id and s.deleted_at is null and {COVERS}
                  order by lower(s.name), s.id) as servers
      from maintenance_windows w join orgs o on o.id = w.org_id
      left join hosts h on h.id = w.host_id left join server_instances s on s.id = w.server_instance_id
      left join users a on a.id = w.created_by_id left join users e on e.id = w.ended_by_id"""

_WINDOW = text(f"/* maintenance.window */ {_WINDOWS} where w.org_id = :org and w.id = :id")

_LIST = text(f"""/* maintenance.windows */ {_WINDOWS}
    where w.org_id = :org and (w.ended_at is null or w.ended_at > :since)
    order by w.ended_at is not null, case when w.ended_at is null then w.starts_at end, w.ended_at desc, w.id limit 200""")

_SAME = text("""/* maintenance.overlapping */
    select w.starts_at, w.ends_at from maintenance_windows w
     where w.org_id = :org and w.host_id is not distinct from cast(:host as uuid)
       and w.server_instance_id is not distinct from cast(:server as uuid) and w.tag is not distinct from cast(:tag as text)
       and w.ended_at is null and w.starts_at < :ends_at and w.ends_at > greatest(cast(:starts_at as timestamptz), :now)
     order by w.starts_at limit 1""")

_ADD = text("""/* maintenance.add */
    insert into maintenance_windows (org_id, host_id, server_instance_id, tag, reason, starts_at, ends_at, warned_at, begun_at,
                                     created_by_id, created_at)
    values (:org, :host, :server, :tag, :reason, :starts_at, :ends_at, :begun_at, :begun_at, :author, :now) returning id""")

_DUE = text("""/* maintenance.due */
    select w.id, w.org_id from maintenance_windows w
      left join hosts h on h.id = w.host_id left join server_instances s on s.id = w.server_instance_id
     where w.ended_at is null
       and (w.ends_at <= :now or h.deleted_at is not null or s.deleted_at is not null
            or w.begun_at is null and w.starts_at <= :now or w.warned_at is null and w.starts_at <= :soon)
     order by w.starts_at, w.id limit 200""")

# A tick passes by what somebody has at hand; a person waits for it.
_HOLD = text("""/* maintenance.hold */
    select 1 from maintenance_windows where org_id = :org and id = :id and ended_at is null for update""")
_HOLD_FREE = text("""/* maintenance.hold_free */
    select 1 from maintenance_windows where org_id = :org and id = :id and ended_at is null for update skip locked""")

_TOLD = text("""/* maintenance.told */
    update maintenance_windows set warned_at = coalesce(warned_at, :now),
           begun_at = case when :begun then coalesce(begun_at, :now) else begun_at end where org_id = :org and id = :id""")

_END = text("""/* maintenance.end */
    update maintenance_windows set ended_at = :at, ended_by_id = :by where org_id = :org and id = :id and ended_at is null""")


@dataclass(frozen=True)
class WindowCard:
    """A maintenance window, what it is of, and the servers that are in it now."""

    id: UUID
    org_id: UUID
    guild_id: int
    host_id: UUID | None
    host_name: str | None
    server_id: UUID | None
    server_name: str | None
    tag: str | None
    reason: str
    starts_at: datetime
    ends_at: datetime
    warned_at: datetime | None
    begun_at: datetime | None
    ended_at: datetime | None
    gone: bool
    """Its host or server was removed."""
    author: str | None
    ended_by: str | None
    servers: Sequence[UUID]

    @property
    def kind(self) -> Kind:
        return "host" if self.host_id else "server" if self.server_id else "tag" if self.tag else "everything"

    @property
    def name(self) -> str:
        """Of the host, the server or the tag; empty for everything."""
        return self.host_name or self.server_name or self.tag or ""

    def within(self, scope: Scope) -> "WindowCard":
        """As somebody sees it who sees these servers: the others do not count."""
        return replace(self, servers=[server for server in self.servers if scope.covers(server)])

    @property
    def resource(self) -> tuple[str, UUID]:
        """What the audit log says it is about: of one server or host that, so that its rows are read where its others are."""
        if self.server_id:
            return "server", self.server_id
        return ("host", self.host_id) if self.host_id else ("maintenance", self.id)

    @property
    def times(self) -> Times:
        return Times(self.starts_at, self.ends_at, self.warned_at, self.begun_at, self.ended_at)


async def lock(session: AsyncSession, org_id: UUID) -> None:
    """Until the end of the transaction nobody else adds a window to the org."""
    await session.execute(_LOCK, {"org": org_id})


async def window(session: AsyncSession, org_id: UUID, window_id: UUID) -> WindowCard | None:
    return one(WindowCard, await session.execute(_WINDOW, {"org": org_id, "id": window_id}))


async def windows(session: AsyncSession, org_id: UUID, since: datetime) -> list[WindowCard]:
    """Those that are not over, the next first; then those that have ended since, the last first."""
    return every(WindowCard, await session.execute(_LIST, {"org": org_id, "since": since}))


async def overlapping(session: AsyncSession, values: dict[str, Any]) -> tuple[datetime, datetime] | None:
    """The times of a window of the same thing that is not over and shares a moment with these."""
    row = (await session.execute(_SAME, values)).one_or_none()
    return None if row is None else (row.starts_at, row.ends_at)


async def add(session: AsyncSession, values: dict[str, Any]) -> UUID:
    """`begun_at`: now, where it begins with this; None: it is planned."""
    return (await session.execute(_ADD, values)).scalar_one()


async def due(session: AsyncSession, now: datetime, soon: datetime) -> list[tuple[UUID, UUID]]:
    """Id and org of the windows about which something may have to be done. `soon`: players are told of what begins by then."""
    return [(row.id, row.org_id) for row in await session.execute(_DUE, {"now": now, "soon": soon})]


async def hold(session: AsyncSession, org_id: UUID, window_id: UUID, *, wait: bool) -> WindowCard | None:
    """A window that is not over, held by this transaction; None: it is, or (without `wait`) somebody else has it."""
    held = await session.scalar(_HOLD if wait else _HOLD_FREE, {"org": org_id, "id": window_id})
    return await window(session, org_id, window_id) if held is not None else None


async def told(session: AsyncSession, org_id: UUID, window_id: UUID, *, begun: bool, now: datetime) -> None:
    """Players were told that it is near, or (`begun`) that it has begun."""
    await session.execute(_TOLD, {"org": org_id, "id": window_id, "begun": begun, "now": now})


async def end(session: AsyncSession, org_id: UUID, window_id: UUID, *, at: datetime, by: UUID | None) -> None:
    await session.execute(_END, {"org": org_id, "id": window_id, "at": at, "by": by})
