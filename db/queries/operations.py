"""Leases, application state: the statements of what keeps several replicas apart."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

# Both sides of the fence are PostgreSQL's now(). The epoch grows with every change of holder, never with a renewal.
_TAKE = text("""/* leases.take */
    insert into leases as l (duty, holder, epoch, expires_at)
    values (:duty, :holder, 1, now() + make_interval(secs => :seconds))
    on conflict (duty) do update set holder = excluded.holder, expires_at = excluded.expires_at,
        epoch = l.epoch + (l.holder <> excluded.holder)::int
     where l.holder = excluded.holder or l.expires_at < now()
    returning epoch""")

_RENEW = text("""/* leases.renew */
    update leases set expires_at = now() + make_interval(secs => :seconds)
     where duty = :duty and holder = :holder and epoch = :epoch and expires_at > now() returning epoch""")

_RELEASE = text("""/* leases.release */
    update leases set expires_at = now() - interval '1 second' where duty = :duty and holder = :holder and epoch = :epoch""")

_GET = text("/* app_state.get */ select value from app_state where key = :key")

_SET = text("""/* app_state.set */
    insert into app_state (key, value, updated_at) values (:key, :value, :now)
    on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at""").bindparams(
    bindparam("value", type_=JSONB)
)


async def take_lease(session: AsyncSession, duty: str, holder: str, seconds: float) -> int | None:
    """The epoch under which `holder` now has the duty; None while another one has it."""
    return (await session.execute(_TAKE, {"duty": duty, "holder": holder, "seconds": seconds})).scalar_one_or_none()


async def renew_lease(session: AsyncSession, duty: str, holder: str, epoch: int, seconds: float) -> bool:
    values = {"duty": duty, "holder": holder, "epoch": epoch, "seconds": seconds}
    return (await session.execute(_RENEW, values)).scalar_one_or_none() is not None


async def release_lease(session: AsyncSession, duty: str, holder: str, epoch: int) -> None:
    await session.execute(_RELEASE, {"duty": duty, "holder": holder, "epoch": epoch})


async def get_state(session: AsyncSession, key: str) -> Any:
    return await session.scalar(_GET, {"key": key})


async def set_state(session: AsyncSession, key: str, value: Any, now: datetime) -> None:
    await session.execute(_SET, {"key": key, "value": value, "now": now})
