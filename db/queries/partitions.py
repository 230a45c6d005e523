"""The daily partitions of the streams."""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

_BACK: Final = timedelta(days=1)
"""A host's clock may be behind, and what it reports around midnight belongs to yesterday."""

_LOCK: Final = text("/* partitions.lock */ select pg_advisory_xact_lock(hashtext('gamekeeper.partitions'))")
STREAMS: Final = ("events", "logs")
_EXISTING: Final = text("""/* partitions.existing */
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent in ('events'::regclass, 'logs'::regclass)""")


async def ensure_partitions(session: AsyncSession | AsyncConnection, today: date, days: int = 7) -> list[str]:
    """Makes the partitions of every stream from yesterday to `days` ahead that are missing; the names of those made.

    Days are UTC. Cheap when there is nothing to do: no lock on the table is taken."""
    if not await _missing(session, today, days):
        return []
    await session.execute(_LOCK)
    made = await _missing(session, today, days)
    for name, (stream, day) in made.items():
        limits = f"from ('{day}T00:00:00Z') to ('{day + timedelta(days=1)}T00:00:00Z')"
        await session.execute(
            text(f"/* partitions.create */ create table {name} partition of {stream} for values {limits}")
        )
    return list(made)


async def _missing(session: AsyncSession | AsyncConnection, today: date, days: int) -> dict[str, tuple[str, date]]:
    existing = set((await session.execute(_EXISTING)).scalars())
    wanted = [today - _BACK + timedelta(days=offset) for offset in range(days + _BACK.days + 1)]
    return {
        name: (stream, day)
        for stream in STREAMS
        for day in wanted
        if (name := f"{stream}_p{day:%Y%m%d}") not in existing
    }
