"""Lets a process stand still in the middle of a transaction, where it can be killed."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy import text

from db.engine import Database
from tests.faults.town import Town
from tests.wire.waiting import eventually


@asynccontextmanager
async def locked(town: Town, table: str) -> AsyncGenerator[None]:
    """Nobody writes to a table, so whoever wants to stands still in the middle of a transaction."""
    db = Database(town.database_url, role="tests", pool_size=2)
    try:
        async with db.engine.connect() as connection:
            await connection.execute(text("begin"))
            await connection.execute(text(f"lock table {table} in share mode"))
            yield
            await connection.execute(text("rollback"))
    finally:
        await db.close()


async def stands_still(town: Town, statement: str) -> None:
    """Waits until this statement of the bot waits for a lock."""

    async def look() -> bool:
        return bool(
            await town.rows(
                "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like :words",
                words=f"/* {statement} */%",
            )
        )

    await eventually(look, 20.0, lambda: f"{statement} that waits\n{town.bot.log()[-2000:]}")
