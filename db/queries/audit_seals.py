"""Sealing: the rows of an org that no seal names, and the seals that name the others.

No row above the highest id that any seal names is sealed: `top`. Below it lie rows that were late, because ids are given
out before rows are committed. They are looked for down to `floor`, the highest id of the seals that were made an hour ago
or earlier; a row that turns up below it was not late. Where nobody has looked for a while, because no process was there,
the hour before the last seal counts: whoever starts looks `far`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Result, text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.id_ranges import IdRanges
from bot.domain.seals import FIELDS, Row
from db.rows import one

_CASTS: Final = {name: f"cast(a.{name} as text)" for name in FIELDS} | {
    "created_at": "cast(trunc(extract(epoch from a.created_at) * 1000000) as text)"
}
ROW: Final = ", ".join(f"{cast} as {name}" for name, cast in _CASTS.items())
"""The select list of rows as they are hashed."""

ORG: Final = "(select cast(:org as uuid))"
"""The org, unknown while the statement is planned: of one that is known to have much of the log, PostgreSQL would read the
log of all."""
EARLIEST: Final = "timestamptz '1970-01-01'"
LATEST: Final = "timestamptz '9999-01-01'"
"""Between them lies every time that we write; Python knows no others, and no seal shall keep those after it from being
made or read."""
_SETTLED: Final = "interval '1 hour'"
"""After that a row that no seal names was not late: no transaction of ours is open for nearly as long."""
_TOP: Final = """coalesce((select upper(ids) from audit_seals where org_id = {org} and upper(ids) is not null
                      order by upper(ids) desc limit 1), 0)"""
_NEAR: Final = "now()"
_FAR: Final = "(select sealed_at from audit_seals where org_id = {org} order by number desc limit 1)"


def _floor(org: str, *, far: bool) -> str:
    since = _FAR.format(org=org) if far else _NEAR
    return f"""coalesce((select upper(ids) from audit_seals where org_id = {org} and upper(ids) is not null
                         and sealed_at < {since} - {_SETTLED} order by upper(ids) desc limit 1), 0)"""


# An org that was quiet for an hour costs three index probes.
_ORGS: Final = {
    far: text(f"""/* audit_seals.orgs{"_far" * far} */
    select o.id from orgs o
      cross join lateral (select {_TOP.format(org="o.id")} as id offset 0) top
      cross join lateral (select {_floor("o.id", far=far)} as id offset 0) floor
     where exists (select 1 from audit_logs a where a.org_id = o.id and a.id >= top.id)
        or floor.id < top.id and exists (
           select 1 from (select range_agg(s.ids) as ids from audit_seals s
                           where s.org_id = o.id and upper(s.ids) > floor.id offset 0) named
             join audit_logs a on a.org_id = o.id and a.id >= floor.id and a.id < top.id and not a.id <@ named.ids)""")
    for far in (False, True)
}

# Two processes never make the same seal; whoever comes second has nothing to wait for.
_LOCK = text("/* audit_seals.lock */ select pg_try_advisory_xact_lock(hashtextextended('audit.seal:' || :org, 0))")

_HEAD: Final = {
    far: text(f"""/* audit_seals.head{"_far" * far} */
    select greatest(clock_timestamp(), least(coalesce(last.sealed_at, {EARLIEST}), {LATEST})) as now, coalesce(last.number, 0) as number, last.hash,
           {_TOP.format(org=":org")} as top, {_floor(":org", far=far)} as floor
      from (select 1) one
      left join lateral (select number, hash, sealed_at from audit_seals where org_id = :org
                          order by number desc limit 1) last on true""")
    for far in (False, True)
}

_LATE = text(f"""/* audit_seals.late */
    select {ROW} from (select range_agg(ids) as ids from audit_seals where org_id = :org and upper(ids) > :floor) named
      join audit_logs a on a.org_id = :org and a.id >= :floor and a.id < :top and not a.id <@ named.ids
     order by a.id limit :limit""")

_NEW = text(f"""/* audit_seals.new */
    select {ROW} from audit_logs a where a.org_id = {ORG} and a.id >= :bound order by a.id limit :limit""")

_WRITE = text("""/* audit_seals.write */
    insert into audit_seals (org_id, number, ids, row_count, hash, rows_hash, sealed_at)
    values (:org, :number, cast(cast(:ids as text) as int8multirange), :count, :hash, :rows, :sealed_at)""")


@dataclass(frozen=True)
class Head:
    """Where an org's chain ends."""

    now: datetime
    """PostgreSQL's, and never before the last seal."""
    number: int
    """Of the last seal; 0: there is none."""
    hash: bytes | None
    top: int
    floor: int


async def orgs_with_unsealed(session: AsyncSession, *, far: bool) -> Sequence[UUID]:
    """Orgs that have rows to be sealed."""
    return (await session.scalars(_ORGS[far])).all()


async def lock(session: AsyncSession, org_id: UUID) -> bool:
    """Until the end of the transaction nobody else seals this org; False: somebody else is at it."""
    return bool(await session.scalar(_LOCK, {"org": str(org_id)}))


async def head(session: AsyncSession, org_id: UUID, *, far: bool = False) -> Head:
    found = one(Head, await session.execute(_HEAD[far], {"org": org_id}))
    assert found is not None
    return found


async def late(session: AsyncSession, org_id: UUID, head: Head, limit: int) -> list[Row]:
    """Rows that were committed after others with a higher id had been sealed."""
    if head.floor >= head.top:
        return []
    values = {"org": org_id, "floor": head.floor, "top": head.top, "limit": limit}
    return rows_of(await session.execute(_LATE, values))


async def new(session: AsyncSession, org_id: UUID, bound: int, limit: int) -> list[Row]:
    """Rows from this id on."""
    return rows_of(await session.execute(_NEW, {"org": org_id, "bound": bound, "limit": limit}))


async def write(
    session: AsyncSession,
    *,
    org_id: UUID,
    number: int,
    ids: IdRanges,
    count: int,
    hash: bytes,
    rows: bytes,
    sealed_at: datetime,
) -> None:
    """`rows`: the hash of the rows."""
    values = {"org": org_id, "number": number, "ids": ids.text, "count": count, "hash": hash, "rows": rows}
    await session.execute(_WRITE, {**values, "sealed_at": sealed_at})


def rows_of(result: Result[Any]) -> list[Row]:
    """Rows whose columns are `ROW`."""
    return [tuple(row) for row in result]
