"""Leases, application state: the statements of what keeps several replicas apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from db.rows import every

# Both sides of the fence are PostgreSQL's now(). The epoch grows with every change of holder, never with a renewal.
_TAKE = text("""/* leases.take */
    insert into leases as l (duty, holder, epoch, expires_at)
    values (:duty, :holder, 1, now() + make_interval(secs => :seconds))
    on conflict (duty) do update set holder = excluded.holder, expires_at = excluded.expires_at,
        epoch = l.epoch + (l.holder <> excluded.holder)::int
     where l.holder = excluded.holder or l.expires_at < now()
    returning epoch""")

# One that has lapsed is renewed as well: with the same holder and epoch nobody has had it in between.
_RENEW = text("""/* leases.renew */
    with kept as (
      update leases l set expires_at = now() + make_interval(secs => :seconds)
        from unnest(cast(:duties as text[]), cast(:epochs as bigint[])) as mine(duty, epoch)
       where l.duty = mine.duty and l.epoch = mine.epoch and l.holder = :holder returning l.duty)
    select l.duty, l.holder, l.epoch, kept.duty is not null as kept,
           cast(extract(epoch from l.expires_at - now()) as float8) as left_sec
      from leases l left join kept on kept.duty = l.duty order by l.duty""")

_LEASES = text("""/* leases.all */
    select duty, holder, epoch, false as kept, cast(extract(epoch from expires_at - now()) as float8) as left_sec
      from leases order by duty""")

_RELEASE = text("""/* leases.release */
    update leases l set expires_at = now() - interval '1 second'
      from unnest(cast(:duties as text[]), cast(:epochs as bigint[])) as mine(duty, epoch)
     where l.duty = mine.duty and l.epoch = mine.epoch and l.holder = :holder""")

# What names a process or a single act is nobody's a day later; that of a duty or a shard shows that nobody has it.
_FORGET = text("""/* leases.forget */
    delete from leases where expires_at < now() - interval '1 day' and duty ~ '^(role|setup[.]channel):'""")

# The server ends a transaction whose process stands still, before the lease lapses.
_BEGIN = text("""/* leases.begin */
    select set_config('idle_in_transaction_session_timeout', '2s', true) from leases
     where duty = :duty and holder = :holder and epoch = :epoch and expires_at > now()""")

# now() is when the transaction began. A renewal waits for this lock, and it is held for one round trip.
_STILL = text("""/* leases.still */
    select 1 from leases where duty = :duty and holder = :holder and epoch = :epoch and expires_at > clock_timestamp()
       for share""")

_GET = text("/* app_state.get */ select value from app_state where key = :key")

_STATES = text("/* app_state.all */ select value from app_state where starts_with(key, :prefix) order by key")

_SET = text("""/* app_state.set */
    insert into app_state (key, value, updated_at) values (:key, :value, :now)
    on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at""").bindparams(
    bindparam("value", type_=JSONB)
)


@dataclass(frozen=True)
class Held:
    """A duty as its holder has it: what every write under it checks."""

    duty: str
    holder: str
    epoch: int


@dataclass(frozen=True)
class Lease:
    """A row as it was at a renewal."""

    duty: str
    holder: str
    epoch: int
    kept: bool
    """It is the asker's, and was renewed."""
    left_sec: float
    """Until it lapses; negative: so long ago. Of one that was kept: before it was renewed."""

    @property
    def is_live(self) -> bool:
        return self.kept or self.left_sec > 0


async def take_lease(session: AsyncSession, duty: str, holder: str, seconds: float) -> int | None:
    """The epoch under which `holder` now has the duty; None while another one has it."""
    return (await session.execute(_TAKE, {"duty": duty, "holder": holder, "seconds": seconds})).scalar_one_or_none()


async def renew_leases(session: AsyncSession, held: Mapping[str, int], holder: str, seconds: float) -> list[Lease]:
    """Renews those of `held` (duty and epoch) that are still the holder's; every lease there is."""
    return every(Lease, await session.execute(_RENEW, _mine(held, holder) | {"seconds": seconds}))


async def leases(session: AsyncSession) -> list[Lease]:
    """Every lease there is, for somebody who has none."""
    return every(Lease, await session.execute(_LEASES))


async def release_leases(session: AsyncSession, held: Mapping[str, int], holder: str) -> None:
    await session.execute(_RELEASE, _mine(held, holder))


def _mine(held: Mapping[str, int], holder: str) -> dict[str, Any]:
    return {"duties": list(held), "epochs": list(held.values()), "holder": holder}


async def forget_leases(session: AsyncSession) -> None:
    """Deletes those of processes that are gone for long."""
    await session.execute(_FORGET)


async def begin_under(session: AsyncSession, held: Held) -> bool:
    """Whether the duty is held, at the beginning of a transaction that writes under it."""
    return await session.scalar(_BEGIN, _of(held)) is not None


async def still_held(session: AsyncSession, held: Held) -> bool:
    """Whether the duty is held; if so, nobody takes it over before this transaction has ended. For its last statement."""
    return await session.scalar(_STILL, _of(held)) is not None


def _of(held: Held) -> dict[str, Any]:
    return {"duty": held.duty, "holder": held.holder, "epoch": held.epoch}


async def get_state(session: AsyncSession, key: str) -> Any:
    return await session.scalar(_GET, {"key": key})


async def states(session: AsyncSession, prefix: str) -> list[Any]:
    """The values of all keys that begin like this."""
    return list(await session.scalars(_STATES, {"prefix": prefix}))


async def set_state(session: AsyncSession, key: str, value: Any, now: datetime) -> None:
    await session.execute(_SET, {"key": key, "value": value, "now": now})
