"""Reading seals and what they are hashes of, so that they can be computed again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from bot.domain.seals import Row
from db.queries.audit_seals import EARLIEST, LATEST, ORG, ROW, rows_of
from db.rows import every, one

_COLUMNS: Final = f"""select org_id as org, number, cast(ids as text) as ids, row_count as count, hash, rows_hash,
           greatest({EARLIEST}, least(sealed_at, {LATEST})) as sealed_at,
           case when purged_at is not null then greatest({EARLIEST}, least(purged_at, {LATEST})) end as purged_at
      from audit_seals where org_id = :org"""

_PAGE = text(f"""/* audit_verify.page */ {_COLUMNS} and number > :after order by number limit :limit""")

_SEAL = text(f"""/* audit_verify.seal */ {_COLUMNS} and number = :number""")

_ROWS = text(f"""/* audit_verify.rows */
    select {ROW} from audit_logs a where a.org_id = {ORG} and a.id >= :bound order by a.id limit :limit""")

_NAMED = text(f"""/* audit_verify.named */
    select {ROW} from audit_logs a where a.org_id = :org and a.id = any(cast(:ids as bigint[])) order by a.id""")

_WAITING = text(f"""/* audit_verify.waiting */
    select id from audit_logs where org_id = {ORG} and id >= :top and created_at < :before order by id limit :limit""")

# What no seal can prove, because a user's row may go one day: people are shown, and found, by `actor_id`.
_MOVED = text("""/* audit_verify.moved */
    select a.id from audit_logs a left join users u on u.id = a.actor_id
     where a.org_id = :org and a.id between :first and :last and a.actor_discord_id is not null
       and (u.discord_user_id <> a.actor_discord_id
            or a.actor_id is null and exists (select 1 from users w where w.discord_user_id = a.actor_discord_id))
     order by a.id""")


@dataclass(frozen=True)
class SealRow:
    """A seal as it is stored."""

    org: UUID
    number: int
    ids: str
    """As PostgreSQL writes them."""
    count: int
    hash: bytes
    rows_hash: bytes
    sealed_at: datetime
    purged_at: datetime | None


async def page(session: AsyncSession, org_id: UUID, after: int, limit: int) -> Sequence[SealRow]:
    """Seals in the order of their numbers."""
    return every(SealRow, await session.execute(_PAGE, {"org": org_id, "after": after, "limit": limit}))


async def seal(session: AsyncSession, org_id: UUID, number: int) -> SealRow | None:
    return one(SealRow, await session.execute(_SEAL, {"org": org_id, "number": number}))


async def rows(session: AsyncSession, org_id: UUID, bound: int, limit: int) -> list[Row]:
    """Rows of an org from this id on, whether a seal names them or not."""
    return rows_of(await session.execute(_ROWS, {"org": org_id, "bound": bound, "limit": limit}))


async def named(session: AsyncSession, org_id: UUID, ids: Sequence[int]) -> list[Row]:
    """Those of these rows that are there."""
    return rows_of(await session.execute(_NAMED, {"org": org_id, "ids": list(ids)}))


async def moved(session: AsyncSession, org_id: UUID, first: int, last: int) -> Sequence[int]:
    """Ids of rows, from one to another, that are put down to somebody whose Discord id they do not have, or to nobody."""
    return (await session.scalars(_MOVED, {"org": org_id, "first": first, "last": last})).all()


async def waiting(session: AsyncSession, org_id: UUID, top: int, before: datetime, limit: int) -> Sequence[int]:
    """Ids of older rows above the highest that is sealed."""
    values = {"org": org_id, "top": top, "before": before, "limit": limit}
    return (await session.scalars(_WAITING, values)).all()
