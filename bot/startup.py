"""Before a process starts: brings the schema to this version and writes the rows that the code takes for granted."""

from bot.domain.actors import system
from bot.errors import Conflict
from db import migrate
from db.engine import Database
from db.seed import seed
from games.catalog import load_catalog


async def prepare(database_url: str, *, may_migrate: bool) -> None:
    """Migrates and seeds where it is needed.

    Raises:
        Conflict: the schema is older, and the operator has not said that it may be migrated.
    """
    if await migrate.is_behind(database_url):
        if not may_migrate:
            raise Conflict(
                "The database is not at the version of this program.",
                "Run `gamekeeper migrate`, or start with --migrate.",
            )
        await migrate.upgrade(database_url)
    await write_seed(database_url)


async def write_seed(database_url: str) -> None:
    """Permissions, game types and the partitions of the next days. Harmless when repeated."""
    games = {template.id: (template.name, template.capabilities) for template in load_catalog().values()}
    db = Database(database_url, role="workers", pool_size=1, max_overflow=0)
    try:
        async with db.uow(system("seed")) as tx:
            await seed(tx.session, games)
    finally:
        await db.close()
