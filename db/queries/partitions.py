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
     where i.inhparent = any(cast(:streams as regclass[])) order by 1""")


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


async def existing(session: AsyncSession | AsyncConnection, stream: str) -> dict[str, date]:
    """The partitions of a stream by name, and their days; oldest first."""
    names = await _names(session, stream)
    return {name: date.fromisoformat(name.removeprefix(f"{stream}_p")) for name in names}


async def drop(session: AsyncSession | AsyncConnection, stream: str, before: date) -> list[str]:
    """Drops the partitions of days before this one: their names."""
    old = [name for name, day in (await existing(session, stream)).items() if day < before]
    if old:
        await session.execute(_LOCK)
        await session.execute(text(f"/* partitions.drop */ drop table if exists {', '.join(old)}"))
    return old


async def _names(session: AsyncSession | AsyncConnection, *streams: str) -> list[str]:
    return list((await session.execute(_EXISTING, {"streams": list(streams)})).scalars())


async def _missing(session: AsyncSession | AsyncConnection, today: date, days: int) -> dict[str, tuple[str, date]]:
    existing = await _names(session, *STREAMS)
    wanted = [today - _BACK + timedelta(days=offset) for offset in range(days + _BACK.days + 1)]
    return {
        name: (stream, day)
        for stream in STREAMS
        for day in wanted
        if (name := f"{stream}_p{day:%Y%m%d}") not in existing
    }
